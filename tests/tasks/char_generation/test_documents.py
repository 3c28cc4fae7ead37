"""Documents that are read one by one, each on a fresh state."""

from functools import partial
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from seqforge import EncoderFactory, Progress
from seqforge.data import TokenBatch, padding_share
from seqforge.encoders import GRU
from seqforge.errors import UserError
from seqforge.state import select
from seqforge.training import Carry
from seqforge_tasks.char_generation import CharGeneration, TextFile

TUNES = ["abcabcab\n\n", "bca\n\n", "cabcabcabcabc\n\n", "ab\n\n"]


def _data(folder: Path, tunes: list[str], batch_size: int = 2) -> TextFile:
    file = folder / "tunes.txt"
    file.write_text("".join(tunes), encoding="utf-8")
    data = TextFile(
        str(file),
        seq_len=4,
        batch_size=batch_size,
        validation=0.0,
        documents="reset",
        cache=str(folder / "cache"),
    )
    data.setup("fit")
    return data


@torch.no_grad()
def _losses(data: TextFile, task: CharGeneration) -> dict[int, float]:
    """Return the loss of every chunk, read with the carried state as in training."""
    carry = Carry()
    losses: dict[int, float] = {}
    for batch in data.train_dataloader():
        assert isinstance(batch, TokenBatch)
        state = carry.take(task, batch)
        rows = [
            task.loss(
                TokenBatch(
                    ids=batch.ids[row : row + 1],
                    inputs=batch.inputs[row : row + 1],
                    targets=batch.targets[row : row + 1],
                    lengths=batch.lengths[row : row + 1],
                ),
                select(state, torch.tensor([row])),
                Progress(0, 0, 0.0),
            )
            for row in range(len(batch.ids))
            if batch.lengths[row]
        ]
        whole = task.loss(batch, state, Progress(0, 0, 0.0))
        total = sum(float(row.terms["loss"].total) for row in rows)
        assert float(whole.terms["loss"].total) == pytest.approx(total, abs=1e-9)
        carry.put(whole.state)
        numbers = [int(n) for n, length in zip(batch.ids, batch.lengths, strict=True) if length]
        losses |= {
            number: float(row.terms["loss"].total)
            for number, row in zip(numbers, rows, strict=True)
        }
    return losses


def _task(data: TextFile) -> CharGeneration:
    pl.seed_everything(0, verbose=False)
    task = CharGeneration(embedding_size=4)
    task.build(EncoderFactory(partial(GRU, hidden_size=6)), data.spec())
    return task.double().eval()


def test_a_document_does_not_change_what_is_thought_of_the_next(tmp_path: Path) -> None:
    data = _data(tmp_path, TUNES)
    task = _task(data)
    before = _losses(data, task)
    after = _losses(_data(tmp_path, ["cccccccc\n\n", *TUNES[1:]]), task)
    changed = {number for number in before if abs(before[number] - after[number]) > 1e-12}
    # The first document has ten characters, hence nine steps in the chunks 0, 1 and 2.
    assert changed
    assert changed <= {0, 1, 2}


def test_joined_documents_do(tmp_path: Path) -> None:
    data = _data(tmp_path, TUNES, batch_size=1)
    reset = sum(_losses(data, _task(data)).values())
    joined = TextFile(
        str(tmp_path / "tunes.txt"),
        seq_len=4,
        batch_size=1,
        validation=0.0,
        cache=str(tmp_path / "cache"),
    )
    joined.setup("fit")
    assert joined.train_dataloader().plan.batches() < data.train_dataloader().plan.batches()
    assert reset != pytest.approx(sum(_losses(joined, _task(data)).values()), abs=1e-6)


def test_padding_is_known_to_the_loader(tmp_path: Path) -> None:
    share = padding_share(_data(tmp_path, TUNES).train_dataloader())
    assert share is not None
    assert 0.0 < share < 1.0


def test_an_empty_end_mark_is_refused() -> None:
    with pytest.raises(UserError, match="mark that ends a document is empty"):
        TextFile(documents="reset", document_end="")
