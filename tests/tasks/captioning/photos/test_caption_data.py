"""Photos and captions on their way to batches."""

import json
import pickle
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning.trainer.states import TrainerFn

from seqforge.data import PlanLoader, TokenBudgetPlan
from seqforge.errors import UserError
from seqforge.text import sentence_vocabulary_from_spec
from seqforge.vision import ImageTransform, read_image
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.photos.caption_text import prepared
from seqforge_tasks.captioning.photos.image_captions import ImageCaptions
from tests.tasks.captioning.photos.albums import album, captions, opened, rows, write_lines

SPLITS = ("train", "train", "train", "val", "test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return album(tmp_path / "album", 20, SPLITS)


def _data(folder: Path, **options: Any) -> ImageCaptions:
    return opened(folder, folder.parent / "cache", **options)


def _batches(loader: Any) -> list[CaptionBatch]:
    batches = list(loader)
    assert all(isinstance(each, CaptionBatch) for each in batches)
    return batches


def _same(one: CaptionBatch, other: CaptionBatch) -> bool:
    tensors = ("ids", "pictures", "places", "inputs", "targets", "lengths")
    return one.names == other.names and all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in tensors
    )


@pytest.mark.parametrize("vocabulary", ["words", "subwords"])
def test_an_epoch_is_every_training_caption_once(folder: Path, vocabulary: str) -> None:
    data = _data(folder, vocabulary=vocabulary, vocabulary_size=80)
    words = sentence_vocabulary_from_spec(json.loads(json.dumps(data.spec()))["vocabulary"])
    seen: Counter[tuple[str, str]] = Counter()
    loader = data.train_dataloader()
    assert isinstance(loader.plan, TokenBudgetPlan)
    room = loader.plan.max_tokens  # as many tokens as 8 captions of mean length have
    for batch in _batches(loader):
        assert batch.pictures is not None
        assert batch.size() == (len(batch.ids), "captions")
        assert batch.inputs.numel() <= room
        assert batch.pictures.shape == (len(set(batch.names)), 3, 8, 8)  # each picture once
        assert batch.pictures.dtype == torch.uint8
        for row, name in enumerate(batch.names):
            length = int(batch.lengths[row])
            inputs, targets = batch.inputs[row].tolist(), batch.targets[row].tolist()
            assert inputs[:length] == [2, *targets[: length - 1]]
            assert targets[length - 1 :] == [3] + [0] * (len(targets) - length)
            assert not any(inputs[length:])
            expected = ImageTransform(8)(read_image(folder / name))
            assert torch.equal(batch.pictures[batch.places[row]], expected)
            seen[name, words.decode(targets)] += 1

    numbers = [number for number in range(20) if SPLITS[number % 5] == "train"]
    assert seen == Counter(
        (f"{number}.png", prepared(caption)) for number in numbers for caption in captions(number)
    )


def test_evaluation_shows_each_photo_once_with_all_its_captions(folder: Path) -> None:
    data = _data(folder)
    for part, remainder in (("validation", 3), ("test", 4)):
        loaders: dict[str, PlanLoader[Any]] = (
            data.val_dataloader() if part == "validation" else data.test_dataloader()
        )
        assert list(loaders) == [part]
        (batch,) = _batches(loaders[part])
        numbers = [number for number in range(20) if number % 5 == remainder]
        assert batch.names == tuple(f"{number}.png" for number in numbers)
        assert batch.references == tuple(tuple(captions(number)) for number in numbers)
        assert batch.places.tolist() == list(range(4))
        assert batch.pictures is not None
        assert batch.features is None
        words = sentence_vocabulary_from_spec(data.spec()["vocabulary"])
        known = [words.decode(words.encode(prepared(captions(number)[0]))) for number in numbers]
        assert [words.decode(row.tolist()) for row in batch.targets] == known


def test_only_training_captions_make_the_vocabulary(folder: Path) -> None:
    words = _data(folder).spec()["vocabulary"]["words"]

    assert "0" in words  # of a training photo
    assert "3" not in words  # of validation
    assert "4" not in words  # of the test


def test_rare_words_are_unknown(folder: Path) -> None:
    words = _data(folder, min_count=3).spec()["vocabulary"]["words"]

    assert set(words) >= {"a", "square", "number", "and", "more", "0"}
    assert set(_data(folder, min_count=9).spec()["vocabulary"]["words"]).isdisjoint({"0", "1"})


def test_batches_are_the_same_again_and_others_in_each_epoch(folder: Path) -> None:
    first, again = _data(folder).train_dataloader(), _data(folder).train_dataloader()
    one, other = _batches(first), _batches(again)

    assert all(_same(left, right) for left, right in zip(one, other, strict=True))
    assert [each.names for each in one] != [each.names for each in _batches(first)]
    assert [each.names for each in one] != [
        each.names for each in _batches(_data(folder, seed=4).train_dataloader())
    ]


def test_a_worker_process_gives_the_same_batches(folder: Path) -> None:
    alone = _batches(_data(folder).train_dataloader())
    helped = _batches(_data(folder, num_workers=1).train_dataloader())

    assert all(_same(left, right) for left, right in zip(alone, helped, strict=True))


def test_features_take_the_place_of_training_pictures_until_an_epoch(folder: Path) -> None:
    data = _data(folder)
    features = np.arange(12 * 2 * 3, dtype=np.float16).reshape(12, 2, 3)
    loader = data.train_dataloader()
    data.serve_features(features, until_epoch=2)  # after the loader was made
    names = list(data.photos("train").names)

    for _ in range(2):
        for batch in _batches(loader):
            assert batch.pictures is None
            assert batch.features is not None
            assert batch.features.dtype == torch.float16
            for row, name in enumerate(batch.names):
                given = batch.features[batch.places[row]].numpy()
                assert np.array_equal(given, features[names.index(name)])
    for batch in _batches(loader):
        assert batch.features is None
        assert batch.pictures is not None


def test_nothing_is_decoded_where_features_are_served(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _data(folder)
    data.serve_features(np.zeros((12, 1, 1), dtype=np.float16))
    for file in folder.glob("*.png"):
        file.unlink()

    assert sum(len(batch.ids) for batch in _batches(data.train_dataloader())) == 36


def test_evaluation_carries_features_beside_its_pictures(folder: Path) -> None:
    data = _data(folder)
    features = np.arange(4, dtype=np.float16).reshape(4, 1, 1)
    data.serve_evaluation_features("validation", features)

    (batch,) = _batches(data.val_dataloader()["validation"])
    (test,) = _batches(data.test_dataloader()["test"])

    assert batch.features is not None
    assert np.array_equal(batch.features.numpy(), features)
    assert batch.pictures is not None
    assert test.features is None


def test_features_of_other_photos_are_refused(folder: Path) -> None:
    data = _data(folder)

    with pytest.raises(ValueError, match="features of 11 pictures for 12 of train"):
        data.serve_features(np.zeros((11, 1, 1), dtype=np.float16))


def test_mapped_features_are_not_copied_to_processes(folder: Path, tmp_path: Path) -> None:
    data = _data(folder)
    mapped = np.memmap(tmp_path / "features", dtype=np.float16, mode="w+", shape=(12, 100, 50))
    mapped[:] = np.arange(12, dtype=np.float16)[:, None, None]
    mapped.flush()
    data.serve_features(mapped)
    collate = data.train_dataloader().collate

    sent = pickle.dumps(collate)
    samples = [data.train_dataloader().samples[number] for number in (35, 0)]
    received = pickle.loads(sent)((35, 0), samples)

    assert len(sent) < mapped.nbytes
    assert received.features[:, 0, 0].tolist() == [11.0, 0.0]


def test_captions_that_are_too_long_are_left_out_of_training(folder: Path) -> None:
    data = _data(folder, max_length=6)

    assert len(data.train_dataloader().samples) == 12  # type: ignore[arg-type]
    assert data.spec()["longest"] == 5
    assert "left out of training: 24 captions of more than 6 tokens" in data.notes()


def test_where_all_captions_are_too_long_they_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="no training caption is left: all 36 have more than 2"):
        _data(folder, max_length=2)


def test_a_vocabulary_without_words_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="no word is left") as raised:
        _data(folder, min_count=1000)

    assert raised.value.where == "data.min_count"


def test_a_checkpoint_brings_vocabulary_and_transform(folder: Path, tmp_path: Path) -> None:
    spec = json.loads(json.dumps(_data(folder, fit="squash", image_size=12).spec()))
    other = album(tmp_path / "other", 10, ("train", "test"))
    data = ImageCaptions(str(other), image_size=8, cache=str(tmp_path / "cache"))
    data.adopt(spec)
    data.prepare_data()
    data.setup("test")

    (batch,) = _batches(data.test_dataloader()["test"])

    assert data.spec() == spec
    assert data.parts == ("test",)
    assert batch.pictures is not None
    expected = ImageTransform(12, "squash")(read_image(other / "1.png"))
    assert torch.equal(batch.pictures[0], expected)


def test_pictures_of_a_part_are_what_a_cache_reads(folder: Path) -> None:
    data = _data(folder)
    pictures = data.pictures("test")

    assert len(pictures) == len(pictures.keys) == 4
    assert len(set(pictures.keys)) == 4
    assert torch.equal(pictures[1], ImageTransform(8)(read_image(folder / "9.png")))
    assert data.feature_folder == folder.parent / "cache"


def test_notes_say_how_much_there_is(folder: Path) -> None:
    data = _data(folder)

    assert list(data.notes())[:2] == [
        "photos: train: 12   validation: 4   test: 4",
        "training captions: 36",
    ]
    assert any(line.startswith("vocabulary: ") for line in data.notes())
    assert ImageCaptions(str(folder)).notes() == []


def test_state_tells_other_captions_apart(folder: Path) -> None:
    before = _data(folder).state_dict()
    again = _data(folder).state_dict()
    lines = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()]
    lines[0]["captions"][0] = "Something else"
    write_lines(folder / "captions.jsonl", lines)

    assert before == again
    assert before != _data(folder).state_dict()


def test_the_position_goes_on_where_it_was(folder: Path) -> None:
    data = _data(folder)
    loader = data.train_dataloader()
    batches = iter(loader)
    next(batches)
    state = data.state_dict()
    rest = [each.names for each in _batches(batches)]
    resumed = _data(folder)
    resumed.load_state_dict(state)

    assert [each.names for each in _batches(resumed.train_dataloader())] == rest


def test_parts_come_after_setup(folder: Path) -> None:
    data = ImageCaptions(str(folder))

    with pytest.raises(RuntimeError, match="setup"):
        data.spec()
    with pytest.raises(RuntimeError, match="setup"):
        data.train_dataloader()
    assert data.val_dataloader() == {}


def test_a_mistake_is_met_in_setup(tmp_path: Path) -> None:
    data = ImageCaptions(str(tmp_path / "none"))
    data.prepare_data()  # rank 0 does this alone: the others must not wait for it

    with pytest.raises(UserError, match="there is no folder, archive or file"):
        data.setup("fit")


def test_a_run_does_not_go_on_with_other_captions(folder: Path) -> None:
    state = _data(folder).state_dict()
    write_lines(folder / "captions.jsonl", rows(20, SPLITS)[1:])
    data = _data(folder)
    data.trainer = SimpleNamespace(state=SimpleNamespace(fn=TrainerFn.FITTING))  # type: ignore[assignment]

    with pytest.raises(UserError, match="not those that the run was trained on"):
        data.load_state_dict(state)

    data.trainer.state.fn = TrainerFn.TESTING  # type: ignore[union-attr]
    data.load_state_dict(state)
