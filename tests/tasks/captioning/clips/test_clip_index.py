"""Where the clips lie that captions name."""

import zipfile
from pathlib import Path

import pytest

from seqforge.errors import UserError
from seqforge.vision import FrameSampling
from seqforge_tasks.captioning.clips.clip_index import ClipIndex
from seqforge_tasks.captioning.photos.trees.archive import Archive
from seqforge_tasks.captioning.photos.trees.folder import Folder
from tests.vision.clip_files import numbers, write_animation, write_frames

ALL = FrameSampling(20)


def test_a_clip_is_named_by_its_file_its_stem_or_the_folder_of_its_frames(tmp_path: Path) -> None:
    write_animation(tmp_path / "deep" / "one.gif", 3)
    write_frames(tmp_path / "frames" / "two", 4)
    index = ClipIndex([Folder(tmp_path)])

    for name in ("one.gif", "one", "deep/one.gif"):
        assert index.find(name, "here").name == "deep/one.gif"
    assert index.find("two", "here").name == "frames/two"
    assert numbers(index.find("two", "here").read(ALL)) == [0, 1, 2, 3]
    assert numbers(index.find("one", "here").read(ALL)) == [0, 1, 2]


def test_frames_are_sorted_by_their_numbers(tmp_path: Path) -> None:
    write_frames(tmp_path / "one", 12)
    assert numbers(ClipIndex([Folder(tmp_path)]).find("one", "here").read(ALL)) == list(range(12))


def test_archives_hold_frames_and_files(tmp_path: Path) -> None:
    write_animation(tmp_path / "one.gif", 3)
    write_frames(tmp_path / "two", 4)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(tmp_path / "one.gif", "a/one.gif")
        for number in range(4):
            archive.write(tmp_path / "two" / f"{number}.png", f"a/two/{number}.png")
    packed = ClipIndex([Archive(tmp_path / "all.zip")])
    loose = ClipIndex([Folder(tmp_path)])
    for name in ("one", "two"):
        one, other = packed.find(name, "here"), loose.find(name, "here")
        assert numbers(one.read(ALL)) == numbers(other.read(ALL))
        assert one.digest() == other.digest()


def test_a_folder_of_frames_comes_before_a_file_without_its_ending(tmp_path: Path) -> None:
    write_animation(tmp_path / "one.gif", 3)
    write_frames(tmp_path / "one", 4)
    index = ClipIndex([Folder(tmp_path)])
    assert index.find("one", "here").frames
    assert not index.find("one.gif", "here").frames


def test_the_content_decides_the_digest(tmp_path: Path) -> None:
    for name, frames in (("one", 4), ("same", 4), ("more", 5)):
        write_frames(tmp_path / name, frames)
    index = ClipIndex([Folder(tmp_path)])
    one, same, more = (index.find(name, "here") for name in ("one", "same", "more"))
    assert one.digest() == same.digest() != more.digest()
    assert one.stamp() != same.stamp()


def test_a_missing_clip_is_named_with_its_neighbour(tmp_path: Path) -> None:
    write_animation(tmp_path / "kitchen.gif", 2)
    with pytest.raises(UserError, match="line 3 names a clip that is not there") as caught:
        ClipIndex([Folder(tmp_path)]).find("kitchin.gif", "line 3")
    assert "kitchen.gif" in str(caught.value)


def test_clips_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_animation(tmp_path / folder / "one.gif", 2)
    index = ClipIndex([Folder(tmp_path)])
    assert index.find("b/one.gif", "here").name == "b/one.gif"
    with pytest.raises(UserError, match="there are several") as caught:
        index.find("one.gif", "here")
    assert "a/one.gif" in str(caught.value)
