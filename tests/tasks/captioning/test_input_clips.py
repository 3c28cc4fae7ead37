"""The clips that a user names."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from seqforge.errors import UserError
from seqforge.vision import FrameSampling
from seqforge_tasks.captioning.input_clips import find_clips, natural
from tests.vision.clip_files import numbers, write_animation, write_frames, write_video

THREE = FrameSampling(3)


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(*sources: str) -> list[str]:
    return [each.name for each in find_clips(map(Path, sources), THREE)]


def test_files_folders_of_frames_and_folders_of_clips() -> None:
    write_animation(Path("all/b.gif"), 9)
    write_frames(Path("all/a"), 12)
    write_video(Path("all/c.avi"), 9)
    Path("all/notes.txt").write_text("no clip", encoding="utf-8")

    assert names("all/b.gif") == ["all/b.gif"]
    assert names("all/a") == ["all/a"]
    assert names("all") == ["all/a", "all/b.gif", "all/c.avi"]
    assert names("all/*.gif") == ["all/b.gif"]
    found = {each.name: numbers(each.read()) for each in find_clips([Path("all")], THREE)}
    assert found == {"all/a": [2, 6, 10], "all/b.gif": [1, 4, 7], "all/c.avi": [1, 4, 7]}


def test_a_picture_is_a_clip_of_one_frame() -> None:
    (found,) = find_clips([Image.new("RGB", (4, 4))], THREE)
    assert len(found.read()) == 1


def test_a_video_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_video(Path("a.avi"), 9).read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    (found,) = find_clips([Path("-")], THREE)
    assert numbers(found.read()) == [1, 4, 7]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("clap.gif", "there is no clip 'clap.gif'"),
        ("empty", "the folder 'empty' holds no clips"),
        ("*.mp4", "no file fits"),
        ("", "no clip is given"),
    ],
)
def test_what_is_not_there_is_named(source: str, said: str) -> None:
    write_animation(Path("clip.gif"), 2)
    Path("empty").mkdir()
    with pytest.raises(UserError, match=said.replace("*", r"\*")) as caught:
        list(find_clips([source], THREE))
    assert caught.value.where == "-i"
    assert len(str(caught.value).splitlines()) <= 5


def test_numbers_in_names_count() -> None:
    found = sorted(["f10.png", "f9.png", "f1.png", "a.png"], key=natural)
    assert found == ["a.png", "f1.png", "f9.png", "f10.png"]
