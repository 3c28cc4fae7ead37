"""Scenes as a data module."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.errors import UserError
from seqforge.text import sentence_vocabulary_from_spec
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.scenes import ScenePart, Scenes, held_out_pairs, validation_pairs
from seqforge_tasks.captioning.scenes.description import COLOURS, RELATIONS, SHAPES
from seqforge_tasks.captioning.scenes.drawn_photos import KEPT_BYTES, DrawnPhotos


def _scenes(folder: Path, stage: str = "fit", **options: Any) -> Scenes:
    sizes = {"photos": 400, "validation_photos": 20, "test_photos": 30, "batch_size": 16}
    data = Scenes(**(sizes | options), seed=4, cache=str(folder))
    data.prepare_data()
    data.setup(stage)
    return data


def _batches(loader: Any) -> list[CaptionBatch]:
    return list(loader)


def test_training_scenes_have_one_true_caption_each(tmp_path: Path) -> None:
    data = _scenes(tmp_path)
    batches = _batches(data.train_dataloader())
    words = sentence_vocabulary_from_spec(data.spec()["vocabulary"])
    part = ScenePart("train", 4)

    assert sum(len(each.lengths) for each in batches) == 400
    kinds = set()
    for batch in batches:
        for row, name in enumerate(batch.names):
            number = int(name.removeprefix("train-"))
            caption = words.decode(batch.targets[row, : batch.lengths[row] - 1].tolist())
            true = part.description(number).captions()
            assert caption in true
            kinds.add((len(true), true.index(caption)))
    assert len(kinds) == 1 + 2  # the captions are drawn, from all kinds of them


def test_several_captions_of_a_scene_differ_and_share_its_picture(tmp_path: Path) -> None:
    data = _scenes(tmp_path, captions=2)
    photos = data.photos("train")
    scenes = ScenePart("train", 4)

    assert [set(captions) for captions in photos.captions] == [
        set(scenes.description(number).captions()) for number in range(400)
    ]
    captions = sum(len(each) for each in photos.captions)
    assert 500 < captions < 700
    assert sum(len(each.lengths) for each in _batches(data.train_dataloader())) == captions


@pytest.mark.parametrize(("part", "count"), [("validation", 20), ("test", 30)])
def test_evaluated_scenes_have_all_true_captions(tmp_path: Path, part: Any, count: int) -> None:
    data = _scenes(tmp_path)
    loaders = {**data.val_dataloader(), **data.test_dataloader()}
    references = [each for batch in _batches(loaders[part]) for each in batch.references]

    scenes = ScenePart(part, 4)
    assert references == [scenes.description(number).captions() for number in range(count)]


def test_batches_carry_the_pictures_of_their_scenes(tmp_path: Path) -> None:
    batch = _batches(_scenes(tmp_path, image_size=40).test_dataloader()["test"])[0]

    assert batch.pictures is not None
    assert batch.pictures.dtype == torch.uint8
    scenes = ScenePart("test", 4)
    for number, picture in enumerate(batch.pictures):
        drawn = scenes.picture(number, 40)
        pixels = torch.tensor(list(drawn.tobytes()), dtype=torch.uint8).view(40, 40, 3)
        assert torch.equal(picture, pixels.permute(2, 0, 1))


def test_the_vocabulary_knows_all_words_of_the_test(tmp_path: Path) -> None:
    data = _scenes(tmp_path)
    known = set(data.spec()["vocabulary"]["words"])

    plurals = set(SHAPES.values())
    assert {*COLOURS, *SHAPES, *plurals, *" ".join(RELATIONS).split()} <= known
    assert 24 <= len(known) <= 30


def test_a_checkpoints_size_of_pictures_is_taken_over(tmp_path: Path) -> None:
    spec = _scenes(tmp_path).spec()
    data = Scenes(photos=8, validation_photos=4, test_photos=4, image_size=48, seed=4)
    data.adopt(spec)
    data.setup("test")
    batch = next(iter(data.test_dataloader()["test"]))

    assert isinstance(batch, CaptionBatch)
    assert batch.pictures is not None
    assert batch.pictures.shape == (4, 3, 64, 64)


def test_the_user_is_told_which_pairs_are_held_out(tmp_path: Path) -> None:
    test, validation = _scenes(tmp_path).notes()[-2:]

    assert all(" ".join(pair) in test for pair in held_out_pairs(4))
    assert all(" ".join(pair) in validation for pair in validation_pairs(4))


def test_keys_tell_scenes_sizes_and_seeds_apart(tmp_path: Path) -> None:
    keys: list[str] = []
    for seed, size in [(4, 64), (4, 48), (5, 64)]:
        data = Scenes(photos=50, test_photos=50, image_size=size, seed=seed)
        keys += data.photos("train").keys
        keys += data.photos("test").keys

    assert len(set(keys)) == 300


def test_pictures_are_kept_but_not_sent_to_workers() -> None:
    photos = Scenes(photos=8, seed=4).photos("train")
    first = photos.picture(3)

    assert photos.picture(3) is first
    sent: DrawnPhotos = pickle.loads(pickle.dumps(photos))
    assert torch.equal(sent.picture(3), first)
    assert len(pickle.dumps(photos)) < first.numel()


def test_more_pictures_than_memory_should_hold_are_drawn_anew() -> None:
    size = 2_000
    photos = Scenes(photos=KEPT_BYTES // (3 * size**2) + 1, image_size=size, seed=4).photos("train")

    assert photos.picture(0) is not photos.picture(0)


def test_there_is_no_scene_beyond_the_last() -> None:
    with pytest.raises(IndexError, match="scene 8 of 8"):
        Scenes(photos=8, seed=4).photos("train").picture(8)


@pytest.mark.parametrize(
    ("options", "given", "where"),
    [
        ({"photos": 0}, "0 photos", "data.photos"),
        ({"validation_photos": 0}, "0 photos", "data.validation_photos"),
        ({"test_photos": -1}, "-1 photos", "data.test_photos"),
        ({"captions": 0}, "0 captions", "data.captions"),
        ({"image_size": 16}, "scenes cannot be drawn on 16 pixels", "data.image_size"),
    ],
)
def test_mistakes_are_refused(options: dict[str, int], given: str, where: str) -> None:
    with pytest.raises(UserError) as caught:
        Scenes(**options)  # type: ignore[arg-type]

    assert given in str(caught.value)
    assert where in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5
