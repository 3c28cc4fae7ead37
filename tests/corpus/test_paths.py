import os
from pathlib import Path

import pytest

from seqforge.corpus import find_files
from seqforge.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a/c.abc", "a/D.TXT.GZ", "a/picture.png", ".git/e.txt", "a/.f.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    return tmp_path


def _names(found: list[Path], folder: Path) -> list[str]:
    return [str(file.relative_to(folder)) for file in found]


def test_a_folder_stands_for_its_text_files(folder: Path) -> None:
    assert _names(find_files(str(folder)), folder) == ["a/D.TXT.GZ", "a/c.abc", "b.txt"]


def test_patterns_lists_and_any_ending(folder: Path) -> None:
    found = find_files([f"{folder}/b.txt", f"{folder}/**/*.png", f"{folder}/a/*.abc"])

    assert _names(found, folder) == ["b.txt", "a/picture.png", "a/c.abc"]


def test_a_name_may_look_like_a_pattern(folder: Path) -> None:
    (folder / "song [live].txt").touch()

    assert _names(find_files(f"{folder}/song [live].txt"), folder) == ["song [live].txt"]


def test_pipes_and_devices_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("/dev/null", f"{tmp_path}/pipe"):
        with pytest.raises(UserError, match="is no regular file") as caught:
            find_files(name)
        assert not caught.value.closest


def test_what_does_not_exist(folder: Path) -> None:
    (folder / "empty").mkdir()
    for path, message in (
        (f"{folder}/*.csv", "no file matches"),
        (f"{folder}/empty", "holds no text files"),
        (f"{folder}/b.text", "there is no text file"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            find_files(path)
        assert caught.value.where == "data.path"
        assert caught.value.todo
    assert caught.value.closest == f"{folder}/b.txt"
    with pytest.raises(UserError, match="list of text files is empty"):
        find_files([])
