"""The text as lanes: arithmetic, vocabulary, what is refused."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.data import Batch, TokenBatch
from seqforge.errors import UserError
from seqforge_tasks.char_generation import TextFile
from seqforge_tasks.char_generation.data import builtin_text


def data(folder: Path, text: str, **options: Any) -> TextFile:
    file = folder / "text.txt"
    file.write_text(text, encoding="utf-8")
    module = TextFile(str(file), cache=str(folder / "cache"), **options)
    module.setup("fit")
    return module


def batches(loader: Iterable[Batch]) -> list[TokenBatch]:
    found = [batch for batch in loader if isinstance(batch, TokenBatch)]
    assert found
    return found


def test_the_lectures_arithmetic(tmp_path: Path) -> None:
    module = data(tmp_path, "ab" * 268_800 + "a", seq_len=50, batch_size=128, validation=0.0)

    assert len(module.train_dataloader()) == 84


def test_rows_go_on_where_they_ended_and_targets_follow_inputs(tmp_path: Path) -> None:
    text = "".join(chr(ord("a") + number % 26) for number in range(500))
    module = data(tmp_path, text, seq_len=7, batch_size=3, validation=0.0)
    found = batches(module.train_dataloader())

    for batch in found:
        assert torch.equal(batch.inputs[:, 1:], batch.targets[:, :-1])
    for before, after in itertools.pairwise(found):
        assert torch.equal(after.inputs[:, 0], before.targets[:, -1])
        assert after.starts is not None
        assert not after.starts.any()
    assert found[0].starts is not None
    assert found[0].starts.all()
    whole = torch.cat([batch.inputs for batch in found], dim=1)
    step = whole.shape[1]
    alphabet = {letter: number + 1 for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
    for lane in range(3):
        expected = [alphabet[letter] for letter in text[lane * step : (lane + 1) * step]]
        assert whole[lane].tolist() == expected


@pytest.mark.parametrize(("seq_len", "batch_size"), [(10, 4), (33, 1), (64, 9)])
def test_validation_has_every_character_once_and_lanes_of_its_own(
    tmp_path: Path, seq_len: int, batch_size: int
) -> None:
    text = "abcdefghij" * 5_000
    module = data(tmp_path, text, seq_len=seq_len, batch_size=batch_size, validation=0.1)
    found = batches(module.val_dataloader()["stateful"])

    assert sum(batch.lengths.sum().item() for batch in found) == 5_000 - 1
    assert {len(batch.ids) for batch in found} == {4}


def test_the_vocabulary_is_that_of_the_training_part(tmp_path: Path) -> None:
    options = {"seq_len": 5, "batch_size": 2, "validation": 0.1}
    known = data(tmp_path, "abc" * 300 + "xyz" * 33 + "x", **options)
    other = data(tmp_path, "abc" * 300 + "ABC" * 33, **options)

    assert known.spec() == {"vocabulary": {"kind": "characters", "characters": "abc"}}
    assert other.spec() == known.spec()
    assert not any(batch.inputs.any() for batch in batches(known.val_dataloader()["stateful"]))


def test_no_validation(tmp_path: Path) -> None:
    module = data(tmp_path, "abc" * 300, seq_len=5, batch_size=2, validation=0.0)

    assert module.val_dataloader() == {}


def test_the_text_that_comes_with_python(tmp_path: Path) -> None:
    module = TextFile(cache=str(tmp_path))
    module.setup("fit")

    assert len(builtin_text()) > 300_000
    assert f"text: {len(builtin_text()):,} characters" in module.notes()[0]
    assert len(module.train_dataloader()) > 100
    assert len(module.spec()["vocabulary"]["characters"]) < 200


def test_the_split_of_tinyshakespeare(data_root: Path, tmp_path: Path) -> None:
    path = data_root / "tinyshakespeare" / "input.txt"
    module = TextFile(str(path), validation=0.1, cache=str(tmp_path))
    module.setup("fit")
    text = path.read_text(encoding="utf-8")
    held = text[1_003_854:]
    numbers = module.spec()["vocabulary"]["characters"]

    assert (
        "1,115,394 characters, 65 distinct   train: 1,003,854   validation: 111,540"
        in (module.notes()[0])
    )
    for loader in module.val_dataloader().values():
        found = {int(number): row for number, row in _rows(loader)}
        written = "".join(numbers[each - 1] for number in sorted(found) for each in found[number])
        assert written == held[1:]


def _rows(loader: Iterable[Batch]) -> Iterable[tuple[int, list[int]]]:
    for batch in batches(loader):
        for number, row, length in zip(batch.ids, batch.targets, batch.lengths, strict=True):
            yield int(number), row[:length].tolist()


def test_files_folders_and_tables(tmp_path: Path) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    (songs / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    (songs / "b.abc").write_text("three", encoding="utf-8")
    (tmp_path / "table.csv").write_text('id,lyrics\n1,"one\ntwo"\n2,three\n', encoding="utf-8")
    given: list[dict[str, Any]] = [
        {"path": str(songs)},
        {"path": [f"{songs}/a.*", f"{songs}/b.abc"]},
        {"path": str(tmp_path / "table.csv")},
        {"path": str(tmp_path / "table.csv"), "column": "lyrics"},
    ]
    for options in given:
        module = TextFile(
            **options, seq_len=13, batch_size=1, validation=0.0, cache=str(tmp_path / "cache")
        )
        module.setup("fit")
        (batch,) = batches(module.train_dataloader())
        signs = module.spec()["vocabulary"]["characters"]
        read = [*batch.inputs[0].tolist(), int(batch.targets[0, -1])]
        assert "".join(signs[each - 1] for each in read) == "one\ntwo\n\nthree"


@pytest.mark.parametrize("workers", [0, 1])
def test_unseen_characters_are_read_as_unknown(tmp_path: Path, workers: int) -> None:
    module = data(
        tmp_path,
        "abcd" * 49 + "axbd",
        seq_len=5,
        batch_size=2,
        validation=0.02,
        num_workers=workers,
    )
    (batch,) = batches(module.val_dataloader()["cold"])

    assert batch.inputs[0, :3].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"seq_len": 0}, "data.seq_len"),
        ({"batch_size": 0}, "data.batch_size"),
        ({"validation": 1.0}, "data.validation"),
        ({"validation": -0.1}, "data.validation"),
    ],
)
def test_numbers_out_of_range(options: dict[str, Any], key: str) -> None:
    with pytest.raises(UserError) as caught:
        TextFile(**options)

    assert caught.value.where == key


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("a" * 99, "or a batch_size of at most 9"),
        ("a" * 9, "or a seq_len of at most 8 with batch_size 1"),
        ("a", "give a longer text"),
    ],
)
def test_texts_that_are_too_short(tmp_path: Path, text: str, advice: str) -> None:
    with pytest.raises(UserError) as caught:
        data(tmp_path, text, seq_len=10, batch_size=64, validation=0.0)

    assert caught.value.todo.endswith(advice)


def test_another_text_is_read_with_the_vocabulary_of_a_checkpoint(tmp_path: Path) -> None:
    spec = data(tmp_path, "abc" * 50, seq_len=4, batch_size=2).spec()
    (tmp_path / "text.txt").write_text("cbx" * 50, encoding="utf-8")
    other = TextFile(
        str(tmp_path / "text.txt"), seq_len=4, batch_size=2, cache=str(tmp_path / "cache")
    )
    other.adopt(spec)
    other.setup("test")
    assert other.spec() == spec
