"""Finding the pictures that captions name."""

from pathlib import Path

import pytest

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.trees.folder import Folder
from seqforge_tasks.captioning.photos.trees.picture_index import PictureIndex


def _index(root: Path, *names: str) -> PictureIndex:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return PictureIndex([Folder(root)])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("a.jpg", "images/a.jpg"),
        ("./images/a.jpg", "images/a.jpg"),
        ("images\\a.jpg", "images/a.jpg"),
        ("elsewhere/photos/a.jpg", "images/a.jpg"),
        ("val/b.jpg", "deep/val/b.jpg"),
        ("train/b.jpg", "deep/train/b.jpg"),
        ("c.jpg", "c.jpg"),
        ("x/c.jpg", "x/c.jpg"),
        (" c.jpg ", "c.jpg"),
    ],
)
def test_pictures_are_found_whatever_their_folder(tmp_path: Path, wanted: str, found: str) -> None:
    index = _index(
        tmp_path, "images/a.jpg", "deep/val/b.jpg", "deep/train/b.jpg", "c.jpg", "x/c.jpg"
    )

    assert index.find(wanted, "line 1").read() == found.encode()


def test_a_picture_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 1 names a picture that is not there") as raised:
        _index(tmp_path, "images/a.jpg").find("b/a.jpeg", "line 1")

    assert raised.value.closest == "a.jpg"


def test_which_of_several_is_meant_must_be_clear(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there are several: one/a\.jpg, two/a\.jpg"):
        _index(tmp_path, "one/a.jpg", "two/a.jpg").find("a.jpg", "line 1")


def test_the_first_place_wins(tmp_path: Path) -> None:
    _index(tmp_path / "one", "a.jpg")
    _index(tmp_path / "two", "a.jpg")
    index = PictureIndex([Folder(tmp_path / "two"), Folder(tmp_path / "one")])

    assert index.find("a.jpg", "line 1").label == str(tmp_path / "two" / "a.jpg")


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    _index(tmp_path, ".hidden/a.jpg", "b/.a.jpg", "b/a.jpg")

    assert list(Folder(tmp_path).names()) == ["b/a.jpg"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    with pytest.raises(UserError, match=r"gone\.jpg' cannot be read"):
        folder.read("gone.jpg")
    with pytest.raises(UserError, match=r"gone\.jpg' cannot be read"):
        folder.stamp("gone.jpg")
