"""Sentence pairs on their way from files to batches."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.errors import UserError
from seqforge_tasks.translation.parallel.batch import TranslationBatch
from seqforge_tasks.translation.parallel.parallel_text import ParallelText
from seqforge_tasks.translation.parallel.sides import sides_from_spec
from tests.tasks.translation.corpora import pairs, write

TRAIN, VALIDATION, TEST = pairs(120), pairs(20, seed=1), pairs(15, seed=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "texts", "train", TRAIN)
    write(tmp_path / "texts", "val", VALIDATION)
    return write(tmp_path / "texts", "test", TEST, packed=True)


def _data(folder: Path, stage: str = "fit", **options: Any) -> ParallelText:
    chosen = {"test": "test", "vocabulary_size": 60, "max_tokens": 200, "seed": 3, **options}
    data = ParallelText(str(folder), "en", "fr", cache=str(folder.parent / "cache"), **chosen)
    data.prepare_data()
    data.setup(stage)
    return data


def _batches(loader: Any) -> list[TranslationBatch]:
    batches = list(loader)
    assert all(isinstance(each, TranslationBatch) for each in batches)
    return batches


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("vocabulary", ["unigram", "bpe", "char", "words"])
def test_an_epoch_is_every_pair_once(folder: Path, vocabulary: str, joint: bool) -> None:
    data = _data(folder, vocabulary=vocabulary, joint=joint)
    source, target = sides_from_spec(json.loads(json.dumps(data.spec())))
    seen = {}
    for batch in _batches(data.train_dataloader()):
        rows, longest = len(batch.ids), batch.source.shape[1] + batch.inputs.shape[1]
        # A width of 2 may make a batch's sides one token longer than they were cut for.
        assert rows * longest <= 200 + 2 * rows
        assert batch.inputs.shape == batch.targets.shape
        assert batch.size() == (int(batch.lengths.sum()), "tokens")
        for row, number in enumerate(batch.ids.tolist()):
            size, length = int(batch.source_lengths[row]), int(batch.lengths[row])
            numbers = batch.source[row].tolist()
            assert numbers[size - 1 :] == [3] + [0] * (batch.source.shape[1] - size)
            assert source.vocabulary.decode(numbers) == batch.source_texts[row]
            inputs, targets = batch.inputs[row].tolist(), batch.targets[row].tolist()
            assert inputs[:length] == [2, *targets[: length - 1]]
            assert targets[length - 1] == 3
            assert not any(inputs[length:] + targets[length:])
            assert target.vocabulary.decode(targets) == batch.target_texts[row]
            seen[number] = batch.source_texts[row], batch.target_texts[row]

    assert [seen[number] for number in range(len(TRAIN))] == TRAIN
    assert (source.vocabulary is target.vocabulary) == joint


def test_a_batch_is_worked_out_by_hand(tmp_path: Path) -> None:
    folder = write(tmp_path, "train", [("a b", "x"), ("a", "x x")])
    data = _data(folder, vocabulary="words", validation=None, test=None, width=1)
    (batch,) = _batches(data.train_dataloader())
    order = batch.ids.argsort()

    # Words by frequency, then by the alphabet: x (3 times) is 4, a (twice) is 5, b is 6.
    assert batch.source[order].tolist() == [[5, 6, 3], [5, 3, 0]]
    assert batch.source_lengths[order].tolist() == [3, 2]
    assert batch.inputs[order].tolist() == [[2, 4, 0], [2, 4, 4]]
    assert batch.targets[order].tolist() == [[4, 3, 0], [4, 4, 3]]
    assert batch.lengths[order].tolist() == [2, 3]


def test_validation_and_test_keep_every_pair(folder: Path) -> None:
    rows = [("", "vide"), ("one " * 90, "un " * 90), *VALIDATION]
    write(folder, "val", rows)
    data = _data(folder, max_length=30)
    seen = {}
    for batch in _batches(data.val_dataloader()["validation"]):
        for number, text in zip(batch.ids.tolist(), batch.source_texts, strict=True):
            seen[number] = text

    assert [seen[number] for number in range(len(rows))] == [source for source, _ in rows]
    (loader,) = data.test_dataloader().values()
    assert sorted(i for batch in loader for i in batch.ids.tolist()) == list(range(len(TEST)))
    assert list(data.test_dataloader()) == ["test"]
    assert list(_data(folder, test=None).test_dataloader()) == ["validation"]
    assert _data(folder, validation=None).val_dataloader() == {}


def test_what_is_left_out_is_said(folder: Path) -> None:
    write(folder, "train", [*TRAIN, ("", "x"), ("red " * 40, "rouge"), ("a", "le chat " * 4)])
    data = _data(folder, vocabulary="words", vocabulary_size=500, max_length=20, max_ratio=4)
    words = {word for row in TRAIN for text in row for word in text.split()}
    words |= {"a", "le", "chat", "red", "rouge"}

    assert data.notes() == [
        "pairs: train: 120   validation: 20   test: 15",
        f"vocabulary: {len(words) + 4} words of both languages, fewer than the 500 asked for",
        "left out of training: 3 of 123 pairs: 1 with an empty side (first: line 121), "
        "1 longer than max_length (first: line 122), 1 beyond max_ratio (first: line 123)",
    ]


def test_validation_and_test_do_not_change_the_vocabulary(folder: Path) -> None:
    before = _data(folder)
    write(folder, "val", [("ZZZ QQQ", "ÜÜÜ")])
    (folder / "test.en.gz").unlink()
    (folder / "test.fr.gz").unlink()
    write(folder, "test", [("€€€", "ßßß")])
    again = _data(folder)
    for file in (folder.parent / "cache").iterdir():
        file.unlink()
    anew = _data(folder)

    assert before.spec() == again.spec() == anew.spec()
    write(folder, "train", [*TRAIN, ("ZZZ", "ÜÜÜ")])
    assert _data(folder).spec() != before.spec()


def test_the_vocabulary_is_trained_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _data(folder)

    def never(*args: object, **options: object) -> None:
        raise AssertionError("trained a second time")

    monkeypatch.setattr("seqforge_tasks.translation.parallel.learning.train_subwords", never)
    _data(folder, max_tokens=300)
    with pytest.raises(AssertionError, match="second time"):
        _data(folder, vocabulary_size=50)


def test_a_checkpoints_vocabulary_is_taken_over(folder: Path, tmp_path: Path) -> None:
    spec = _data(folder, vocabulary="words", lowercase=True, max_length=50).spec()
    other = write(tmp_path / "other", "val", [("The RED zebra.", "Le zèbre !")])
    data = ParallelText(str(other), "en", "fr", cache=str(tmp_path / "unused"))
    data.adopt(spec)
    data.prepare_data()
    data.setup("validate")  # there are no files to train on

    (batch,) = _batches(data.val_dataloader()["validation"])
    assert data.spec() == spec
    source, _ = sides_from_spec(spec)
    assert batch.source[0, :2].tolist() == source.vocabulary.encode("the red").tolist()
    assert batch.source_texts == ("The RED zebra.",)
    assert not (tmp_path / "unused").exists()


def test_a_checkpoint_is_not_measured_on_other_languages(folder: Path) -> None:
    spec = _data(folder).spec()
    for languages in (("fr", "en"), ("en", "de")):
        with pytest.raises(UserError, match="the checkpoint translates en to fr") as caught:
            ParallelText(str(folder), *languages).adopt(spec)
        assert " to ".join(languages) in caught.value.given
        assert len(str(caught.value).splitlines()) <= 5


def test_a_stage_needs_only_its_own_files(folder: Path) -> None:
    spec = _data(folder).spec()
    for part in ("train.en", "val.fr"):
        (folder / part).unlink()
    data = ParallelText(str(folder), "en", "fr", test="test")
    data.adopt(spec)
    data.prepare_data()
    data.setup("test")

    assert sum(len(batch.ids) for batch in data.test_dataloader()["test"]) == len(TEST)
    with pytest.raises(UserError, match=r"no file 'val\.fr'"):
        data.setup("validate")
    with pytest.raises(UserError, match=r"no file 'train\.en'"):
        data.setup("fit")


def test_preparation_reaches_numbers_but_not_texts(folder: Path) -> None:
    data = _data(folder, vocabulary="words", lowercase=True, tokenize="moses")
    batch = next(iter(data.train_dataloader()))
    assert isinstance(batch, TranslationBatch)
    source, target = sides_from_spec(data.spec())

    assert batch.source_texts[0][0].isupper()
    prepared = batch.source_texts[0].lower().removesuffix(".") + " ."
    assert source.vocabulary.decode(batch.source[0].tolist()) == prepared
    assert target.preparation.language == "fr"


def test_subwords_are_drawn_anew_in_each_epoch(folder: Path) -> None:
    def epochs(**options: Any) -> list[dict[int, tuple[list[int], str]]]:
        loader = _data(folder, sampling=0.2, **options).train_dataloader()
        found = []
        for _ in range(2):
            epoch = {}
            for batch in _batches(loader):
                for row, number in enumerate(batch.ids.tolist()):
                    kept = batch.source[row, : batch.source_lengths[row]].tolist()
                    epoch[number] = kept, batch.source_texts[row]
            found.append(epoch)
        return found

    first, second = epochs()
    source, _ = sides_from_spec(_data(folder).spec())

    assert epochs() == epochs(num_workers=2) == [first, second]
    assert sum(first[number] != second[number] for number in first) > len(first) / 2
    assert all(source.vocabulary.decode(numbers) == text for numbers, text in first.values())
    batch = next(iter(_data(folder, sampling=0.2).val_dataloader()["validation"]))
    assert isinstance(batch, TranslationBatch)
    text = batch.source_texts[0]
    assert batch.source[0, : batch.source_lengths[0] - 1].tolist() == (
        source.vocabulary.encode(text).tolist()
    )


def test_training_goes_on_where_it_stood_and_in_the_same_text_only(folder: Path) -> None:
    whole = [batch.ids.tolist() for batch in _data(folder).train_dataloader()]
    data = _data(folder)
    batches = iter(data.train_dataloader())
    for _ in range(3):
        next(batches)
    state = json.loads(json.dumps(data.state_dict()))
    resumed = _data(folder)
    resumed.load_state_dict(state)

    assert [batch.ids.tolist() for batch in resumed.train_dataloader()] == whole[3:]
    write(folder, "train", [*TRAIN, ("More", "Plus")])
    assert _data(folder).state_dict()["text"] != state["text"]


@pytest.mark.parametrize(
    ("rows", "options", "message", "where"),
    [
        ([], {}, "no pair with text on both sides", "train.en"),
        ([("", "x"), ("x", " ")], {}, "no pair with text on both sides", "train.en"),
        (TRAIN, {"max_length": 1}, "no training pair is left: left out", "data.max_length"),
        (
            TRAIN,
            {"vocabulary_size": 10},
            "a vocabulary of 10 pieces has no room",
            "data.vocabulary_size",
        ),
        (TRAIN, {"vocabulary": "words", "min_count": 999}, "no word is left", "data.min_count"),
        (TRAIN, {"validation": "dev"}, "no file 'dev.en'", "data.validation"),
        (TRAIN, {"num_workers": -1}, "num_workers is -1", "data.num_workers"),
    ],
)
def test_mistakes_are_met_in_setup(
    folder: Path, rows: list[tuple[str, str]], options: dict[str, Any], message: str, where: str
) -> None:
    write(folder, "train", rows)
    with pytest.raises(UserError, match=message) as caught:
        _data(folder, **options)

    assert where in caught.value.where
    assert len(str(caught.value).splitlines()) <= 5


def test_a_budget_that_is_less_than_a_pair(folder: Path) -> None:
    data = _data(folder, max_tokens=8)
    with pytest.raises(UserError, match="a batch may have 8") as caught:
        data.train_dataloader()
    least = int(caught.value.given.split()[4])

    assert caught.value.where == "data.max_tokens"
    assert f"at least {least}" in caught.value.todo
    assert _data(folder, max_tokens=least).train_dataloader() is not None


def test_an_empty_validation_part(folder: Path) -> None:
    write(folder, "val", [])
    with pytest.raises(UserError, match="validation part has no pairs"):
        _data(folder)


def test_batches_go_to_devices_with_their_texts(folder: Path) -> None:
    batch = next(iter(_data(folder).train_dataloader()))
    assert isinstance(batch, TranslationBatch)
    moved = batch.to(torch.device("meta"))

    assert moved.source.device.type == moved.lengths.device.type == "meta"
    assert moved.source_texts == batch.source_texts
