"""Image folders that are divided into splits, each with a file of captions of its own."""

from pathlib import Path

import pytest

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.finding import find_captions
from tests.tasks.captioning.photos.albums import (
    captions,
    opened,
    parts_of,
    rows,
    write_lines,
    write_pictures,
)


def _divided(folder: Path, *splits: str, name: str = "metadata.csv") -> Path:
    """Write a folder for each split, with five photos of the same names but other content."""
    for place, split in enumerate(splits):
        inside = folder / split
        numbers = range(5 * place, 5 * place + 5)
        write_pictures(inside, numbers)
        lines = ["file_name,text"]
        for number in numbers:
            (inside / f"{number}.png").rename(inside / f"photo{number % 5}.png")
            lines += [f'photo{number % 5}.png,"{each}"' for each in captions(number)]
        (inside / name).write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_folders_are_the_splits(tmp_path: Path) -> None:
    data = opened(_divided(tmp_path / "album", "train", "validation", "test"), tmp_path / "cache")
    found = parts_of(data)

    assert found == {
        "train": [f"train/photo{number}.png" for number in range(5)],
        "validation": [f"validation/photo{number}.png" for number in range(5)],
        "test": [f"test/photo{number}.png" for number in range(5)],
    }
    # Each has its own picture and captions, though others are called alike.
    test = data.photos("test")
    assert test.captions[2] == tuple(captions(12))
    assert test.picture(2).flatten(1)[:, 0].tolist() == [12 * 37 % 256, 12 * 101 % 256, 12]


def test_a_column_says_more_than_the_folder(tmp_path: Path) -> None:
    for split, chosen in (("train", "test"), ("val", "val")):
        write_pictures(tmp_path / split, range(3))
        write_lines(tmp_path / split / "metadata.jsonl", rows(3, ["train", chosen]))
    records = list(find_captions(str(tmp_path)).source.records())

    assert [(each.file, each.split) for each in records[:2]] == [
        ("train/0.png", "train"),
        ("train/1.png", "test"),
    ]


@pytest.mark.parametrize(
    "folders",
    [
        ("train", "others"),
        ("a/train", "a/train/more"),
        ("train", "old/test"),
        ("a/train", "b/test"),
    ],
)
def test_other_folders_are_not_guessed_at(folders: tuple[str, str], tmp_path: Path) -> None:
    _divided(tmp_path, *folders)

    with pytest.raises(UserError, match="has several files of captions"):
        find_captions(str(tmp_path))


def test_two_files_of_one_split_are_not_guessed_at(tmp_path: Path) -> None:
    _divided(tmp_path, "train", "test")
    (tmp_path / "train" / "captions.csv").write_text("file_name,text\n", encoding="utf-8")

    with pytest.raises(UserError, match="has several files of captions"):
        find_captions(str(tmp_path))
