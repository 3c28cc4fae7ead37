"""Moving shapes as a data module."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.errors import UserError
from seqforge.text import sentence_vocabulary_from_spec
from seqforge.vision import FrameSampling
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.moving import MovingPart, MovingShapes
from seqforge_tasks.captioning.photos import FramesOf, Part

PARTS: tuple[Part, ...] = ("train", "validation", "test")


def _clips(folder: Path, stage: str = "fit", **options: Any) -> MovingShapes:
    sizes = {"clips": 200, "validation_clips": 20, "test_clips": 30, "batch_size": 16, "frames": 4}
    data = MovingShapes(**(sizes | options), seed=4, cache=str(folder))
    data.prepare_data()
    data.setup(stage)
    return data


def test_batches_carry_clips_with_their_captions(tmp_path: Path) -> None:
    data = _clips(tmp_path)
    words = sentence_vocabulary_from_spec(data.spec()["vocabulary"])
    part = MovingPart("train", 4, 4)
    rows = 0
    for batch in data.train_dataloader():
        assert isinstance(batch, CaptionBatch)
        assert batch.pictures is not None
        assert batch.frames is not None
        assert batch.pictures.shape == (len(batch.frames), 4, 3, 64, 64)
        assert batch.frames.tolist() == [4] * len(batch.frames)
        for row, name in enumerate(batch.names):
            caption = words.decode(batch.targets[row, : batch.lengths[row] - 1].tolist())
            assert caption in part.captions(int(name.removeprefix("train-")))
            rows += 1
    assert rows == 200


def test_held_out_pairs_are_in_every_test_clip_and_in_no_other() -> None:
    held_out = MovingPart("test", 4, 4).held_out
    for name in PARTS:
        part = MovingPart(name, 4, 4)
        shown = [part.motion(number).pair in held_out for number in range(300)]
        assert all(shown) if name == "test" else not any(shown)


def test_what_validation_shows_is_not_shown_in_training() -> None:
    seen = {
        name: {MovingPart(name, 4, 4).captions(number) for number in range(400)} for name in PARTS
    }
    assert not seen["train"] & seen["validation"]
    assert len(seen["validation"]) > 20


def test_a_clip_is_the_same_each_time_and_others_differ() -> None:
    transform = MovingShapes(clips=1).transform
    part, other = MovingPart("train", 4, 4), MovingPart("train", 5, 4)
    first = part.drawn(3, transform)

    assert first.shape == (4, 3, 64, 64)
    assert torch.equal(first, part.drawn(3, transform))
    assert not torch.equal(first, part.drawn(4, transform))
    assert not torch.equal(first, other.drawn(3, transform))
    # The ground keeps its shade, objects move over it.
    assert torch.equal(first[0, :, 0, 0], first[3, :, 0, 0])
    assert not torch.equal(first[0], first[3])


def test_the_spec_says_how_many_frames_there_are(tmp_path: Path) -> None:
    assert _clips(tmp_path).spec()["frames"] == FrameSampling(4).spec()


def test_notes_count_clips_and_name_the_pairs(tmp_path: Path) -> None:
    notes = "\n".join(_clips(tmp_path).notes())
    assert "clips: train: 200" in notes
    assert "only in the test: " in notes


def test_frames_are_single_pictures_for_a_cache(tmp_path: Path) -> None:
    data = _clips(tmp_path)
    frames = data.pictures("validation")
    assert isinstance(frames, FramesOf)
    assert len(frames) == len(set(frames.keys)) == 20 * 4
    clip = data.photos("validation").picture(7)
    assert torch.equal(torch.stack([frames[28 + number] for number in range(4)]), clip)


def test_features_are_served_clip_by_clip(tmp_path: Path) -> None:
    data = _clips(tmp_path)
    array = torch.arange(200 * 4 * 2).view(800, 1, 2).half().remainder(1000).numpy()
    data.serve_features(array)
    for batch in data.train_dataloader():
        assert isinstance(batch, CaptionBatch)
        assert batch.features is not None
        assert batch.pictures is None
        for row, name in enumerate(batch.names):
            number, place = int(name.removeprefix("train-")), batch.places[row]
            expected = torch.from_numpy(array[4 * number : 4 * number + 4, 0])
            assert torch.equal(batch.features[place], expected)
    with pytest.raises(ValueError, match="799"):
        data.serve_features(array[:799])


def test_clips_can_be_sent_to_workers(tmp_path: Path) -> None:
    photos = _clips(tmp_path).photos("train")
    photos.picture(2)
    sent = pickle.loads(pickle.dumps(photos))
    assert torch.equal(sent.picture(2), photos.picture(2))


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"clips": 0}, "data.clips"),
        ({"test_clips": 0}, "data.test_clips"),
        ({"frames": 2}, "data.frames"),
        ({"image_size": 16}, "data.image_size"),
    ],
)
def test_too_few_of_anything_are_refused(options: dict[str, Any], where: str) -> None:
    with pytest.raises(UserError) as caught:
        MovingShapes(**options)
    assert caught.value.where == where
    assert len(str(caught.value).splitlines()) <= 5
