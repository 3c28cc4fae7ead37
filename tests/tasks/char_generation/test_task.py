"""The loss is the lecture's sum; scores are total nats over characters, in any unit."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from seqforge.data import TokenBatch
from seqforge.encoders import GRU, LSTM, RNN, Encoder
from seqforge.state import leaves
from seqforge.task import Progress, Text
from seqforge.training.evaluation import Evaluation
from seqforge_tasks.char_generation import CharGeneration, TextFile
from tests.cli.tiny import text
from tests.tasks.char_generation.networks import byte_task, task

START = Progress(0, 0, 0.0)
each_encoder = pytest.mark.parametrize("encoder", [RNN, LSTM, GRU])


def batch(tokens: torch.Tensor, lengths: list[int] | None = None) -> TokenBatch:
    """Return rows of tokens (B, T + 1) as a batch of T steps."""
    rows, steps = tokens.shape[0], tokens.shape[1] - 1
    return TokenBatch(
        ids=torch.arange(rows),
        starts=torch.ones(rows, dtype=torch.bool),
        inputs=tokens[:, :-1],
        targets=tokens[:, 1:],
        lengths=torch.tensor(lengths or [steps] * rows),
    )


def random_tokens(rows: int, length: int, symbols: int = 11) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(1, symbols, (rows, length), generator=generator)


# -- the loss ----------------------------------------------------------------------------------


@each_encoder
def test_the_loss_is_the_lectures_sum(encoder: Callable[..., Encoder]) -> None:
    made, tokens = task(encoder), random_tokens(3, 13)
    found = made.loss(batch(tokens), made.start(3), START).terms["loss"]

    total = 0.0
    for row in tokens:
        outputs, _ = made.encoder(made.embedding(row[None, :-1]), made.start(1))
        for output, target in zip(outputs[0], row[1:], strict=True):
            scores = made.head.weight @ output + made.head.bias
            exponentials = [math.exp(score) for score in scores.tolist()]
            total -= math.log(exponentials[int(target)] / sum(exponentials))
    assert found.total.item() == pytest.approx(total, rel=1e-12)
    assert int(found.count) == 36


@each_encoder
@torch.no_grad()
def test_padding_changes_nothing(encoder: Callable[..., Encoder]) -> None:
    made, tokens = task(encoder), random_tokens(2, 11)
    plain = made.loss(batch(tokens), made.start(2), START)
    padded = batch(F.pad(tokens, (0, 6)), lengths=[10, 10])
    longer = made.loss(padded, made.start(2), START)

    assert int(longer.terms["loss"].count) == 20
    torch.testing.assert_close(longer.terms["loss"].total, plain.terms["loss"].total)
    for left, right in zip(leaves(longer.state), leaves(plain.state), strict=True):
        torch.testing.assert_close(left, right)


@each_encoder
@torch.no_grad()
def test_lanes_do_not_see_each_other_nor_what_comes_next(encoder: Callable[..., Encoder]) -> None:
    made, tokens = task(encoder), random_tokens(3, 16)
    lengths = torch.tensor([16, 16, 16])
    plain, _ = made._logits(tokens, made.start(3), lengths)
    disturbed = tokens.clone()
    disturbed[1, 9:] = 10 - disturbed[1, 9:] % 9
    other, _ = made._logits(disturbed, made.start(3), lengths)

    assert torch.equal(plain[[0, 2]], other[[0, 2]])
    torch.testing.assert_close(plain[1, :9], other[1, :9], rtol=0, atol=1e-14)
    assert not torch.allclose(plain[1, 9:], other[1, 9:])


@torch.no_grad()
def test_prediction_scores_rows_by_themselves() -> None:
    made, tokens = task(), random_tokens(2, 9)
    rows = made.predict(batch(tokens, lengths=[8, 5]))
    alone = made.predict(batch(tokens[1:, :6]))

    assert [row["characters"] for row in rows] == [8, 5]
    assert rows[1]["nats"] == pytest.approx(alone[0]["nats"], rel=1e-12)


# -- validation --------------------------------------------------------------------------------


def _score(folder: Path, made: CharGeneration, seq_len: int, batch_size: int) -> dict[str, float]:
    file, cache = str(folder / "text.txt"), str(folder / "cache")
    data = TextFile(file, seq_len, batch_size, validation=0.5, cache=cache)
    data.setup("validate")
    assert data.spec()["vocabulary"] == made.vocabulary.spec()
    evaluation = Evaluation(made)
    evaluation.begin(["stateful"])
    with torch.no_grad():
        for index, chunk in enumerate(data.val_dataloader()["stateful"]):
            evaluation.add(chunk, index, 0, START)
    return evaluation.finish(world_size=1)


@pytest.mark.parametrize(("lines", "lanes"), [(30, 1), (150, 2)])
def test_validation_is_total_nats_over_total_characters(
    tmp_path: Path, lines: int, lanes: int
) -> None:
    content = text(lines)
    content += "\n" * (len(content) % 2)  # halves, however they are rounded
    (tmp_path / "text.txt").write_text(content, encoding="utf-8")
    made = task(characters="".join(sorted(set(content))))

    tokens = torch.from_numpy(made.vocabulary.encode(content[len(content) - len(content) // 2 :]))
    length, total = -(-(len(tokens) - 1) // lanes), 0.0
    with torch.no_grad():
        for first in range(0, len(tokens) - 1, length):
            part = tokens[first : first + length + 1]
            outputs, _ = made.encoder(made.embedding(part[None, :-1]))
            total += F.cross_entropy(made.head(outputs[0]), part[1:], reduction="sum").item()

    for seq_len, batch_size in ((10, 4), (7, 4), (64, 1), (1, 2)):
        found = _score(tmp_path, made, seq_len, batch_size)
        mean = total / (len(tokens) - 1)
        assert found["loss"] == pytest.approx(mean, abs=1e-9)
        assert found["bits_per_character"] == pytest.approx(mean * math.log2(math.e), abs=1e-9)
        assert found["perplexity"] == pytest.approx(math.e**mean, rel=1e-9)


def test_measures_are_named_after_the_vocabularys_unit() -> None:
    assert task().measures({"loss": math.log(8)}) == pytest.approx(
        {"bits_per_character": 3.0, "perplexity": 8.0}
    )
    assert byte_task().measures({"loss": 0.0}) == {"bits_per_byte": 0.0, "perplexity": 1.0}


def test_a_loss_that_has_run_away_has_measures_all_the_same() -> None:
    assert task().measures({"loss": 1e9})["perplexity"] == math.inf
    assert math.isnan(task().measures({"loss": math.nan})["perplexity"])


@torch.no_grad()
def test_prediction_counts_bytes_where_the_network_reads_bytes() -> None:
    (row,) = byte_task().predict(batch(random_tokens(1, 9)))

    assert row["bytes"] == 8


# -- what a user sees --------------------------------------------------------------------------


def test_previews_begin_with_the_prompt_where_it_is_known() -> None:
    made = task()
    made.sample_prompt, made.sample_length = "head ", 8
    (shown,) = made.preview(batch(random_tokens(1, 4)))
    made.sample_prompt = "Head "
    (unknown,) = made.preview(batch(random_tokens(1, 4)))

    assert isinstance(shown, Text)
    assert isinstance(unknown, Text)
    assert (shown.body[:5], len(shown.body), len(unknown.body)) == ("head ", 13, 8)
