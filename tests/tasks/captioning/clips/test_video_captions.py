"""Clips with captions from a user's own files."""

from pathlib import Path

import pytest
import torch

from seqforge.errors import UserError
from seqforge.vision import FrameSampling, ImageTransform, read_clip
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.clips import VideoCaptions
from seqforge_tasks.captioning.photos import ImageCaptions, Part
from tests.tasks.captioning.clips.clip_albums import clip_album, opened
from tests.tasks.captioning.photos.albums import album, captions
from tests.vision.clip_files import write_animation, write_frames, write_video

SPLITS = ("train", "train", "train", "val", "test")
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_frames_animations_and_captions_are_read(tmp_path: Path, cache: Path) -> None:
    data = opened(clip_album(tmp_path / "album", 15, SPLITS), cache)
    clips = data.photos("test")

    assert clips.names == ("clip4", "clip9", "clip14")
    assert clips.frames == (3, 3, 3)
    assert clips.captions[1] == tuple(captions(9))
    assert clips.picture(1).shape == (3, 3, 8, 8)
    assert data.spec()["frames"] == {"count": 3, "rate": None}


def test_batches_hold_clips_of_different_lengths(tmp_path: Path, cache: Path) -> None:
    data = opened(clip_album(tmp_path / "album", 15, SPLITS), cache, frames=9)
    seen = set()
    for batch in data.train_dataloader():
        assert isinstance(batch, CaptionBatch)
        assert batch.pictures is not None
        assert batch.frames is not None
        assert batch.pictures.shape[1] == batch.frames.max()
        for clip, frames in zip(batch.pictures, batch.frames.tolist(), strict=True):
            assert not clip[frames:].any()
            assert clip[:frames].flatten(1).any(dim=1).all()
            seen.add(frames)
    assert seen == {5, 6, 9}  # folders of 5 frames, animations of 5 and their number


def test_videos_are_read_as_inference_reads_them(tmp_path: Path, cache: Path) -> None:
    folder = clip_album(tmp_path / "album", 15, SPLITS)
    file = write_video(folder / "clip4.avi", 30)
    for each in (folder / "clip4").iterdir():
        each.unlink()
    clip = opened(folder, cache).photos("test").picture(0)
    frames = FrameSampling(3).places(30, None)

    assert len(clip) == len(frames)
    transform = ImageTransform(8)
    expected = torch.stack([transform(each) for each in read_clip(file, FrameSampling(3))])
    assert torch.equal(clip, expected)


def test_all_clips_of_a_video_are_in_one_part(tmp_path: Path, cache: Path) -> None:
    sources = [f"video{number // 4}" for number in range(24)]
    folder = clip_album(tmp_path / "album", 24, source_video=sources)
    data = opened(folder, cache, select=4, report=8)
    parts = {
        part: {int(name.removeprefix("clip")) // 4 for name in data.photos(part).names}
        for part in PARTS
    }
    assert len(data.photos("test")) == 8
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]
    assert not parts["validation"] & parts["test"]


def test_clips_of_a_reported_video_leave_the_training_ones(tmp_path: Path, cache: Path) -> None:
    sources = [f"video{number}" for number in range(15)]
    sources[0] = sources[4]  # a training clip and a test clip of one video
    data = opened(clip_album(tmp_path / "album", 15, SPLITS, source_video=sources), cache)

    assert "clip0" not in data.photos("train").names
    assert any("left out: 1 clips" in line for line in data.notes())


def test_names_of_msvd_say_what_a_clip_was_cut_from(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "album"
    rows = ["file,caption,split"]
    for number, split in enumerate(("train", "train", "val", "test", "test")):
        name = f"{'abcde'[number if number else 3] * 11}_{number}_{number + 9}"
        write_frames(folder / name, 3, first=number)
        rows.append(f"{name},a thing number {number},{split}")
    (folder / "captions.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    data = opened(folder, cache)

    assert data.photos("train").names == ("bbbbbbbbbbb_1_10",)
    assert data.photos("test").names == ("ddddddddddd_3_12", "eeeeeeeeeee_4_13")


def test_copies_of_a_clip_are_in_one_part(tmp_path: Path, cache: Path) -> None:
    folder = clip_album(tmp_path / "album", 15, SPLITS)
    write_frames(folder / "clip0", 5, first=4)  # as clip4, which is of the test
    assert "clip0" not in opened(folder, cache).photos("train").names


def test_what_cannot_be_read_is_named_or_skipped(tmp_path: Path, cache: Path) -> None:
    folder = clip_album(tmp_path / "album", 15, SPLITS)
    (folder / "clips" / "clip1.gif").write_bytes(b"no clip")
    (folder / "clips" / "clip5.gif").unlink()
    with pytest.raises(UserError, match=r"clip5"):
        opened(folder, cache)
    write_animation(folder / "clips" / "clip5.gif", 3)
    with pytest.raises(UserError, match=r"clip1\.gif' is no clip") as caught:
        opened(folder, cache)
    assert caught.value.where == "data.path"
    data = opened(folder, cache, on_error="skip")
    assert "clip1" not in data.photos("train").names
    assert any("skipped: 1 clips that cannot be read" in line for line in data.notes())


def test_a_checkpoint_says_which_frames_are_taken(tmp_path: Path, cache: Path) -> None:
    folder = clip_album(tmp_path / "album", 15, SPLITS)
    spec = opened(folder, cache, frames=4).spec()
    data = VideoCaptions(str(folder), frames=2, cache=str(cache))
    data.adopt(spec)
    data.setup("test")
    assert len(data.photos("test").picture(0)) == 4


def test_a_checkpoint_of_photos_does_not_caption_clips(tmp_path: Path, cache: Path) -> None:
    clips = opened(clip_album(tmp_path / "clips", 15, SPLITS), cache)
    photos = ImageCaptions(str(album(tmp_path / "photos", 15, SPLITS)), cache=str(cache))
    photos.prepare_data()
    photos.setup("fit")
    for data, spec, said in (
        (photos, clips.spec(), "captions clips, but ImageCaptions has photos"),
        (clips, photos.spec(), "captions photos, but VideoCaptions has clips"),
    ):
        with pytest.raises(UserError, match=said) as caught:
            data.adopt(spec)
        assert len(str(caught.value).splitlines()) <= 5


def test_frames_at_a_rate_are_refused_of_folders(tmp_path: Path, cache: Path) -> None:
    folder = clip_album(tmp_path / "album", 15, SPLITS)
    with pytest.raises(UserError, match="frames a second"):
        opened(folder, cache, frame_rate=2.0)
