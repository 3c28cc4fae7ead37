"""Finding captions in what a user names."""

import zipfile
from pathlib import Path

import pytest

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.finding import find_captions
from tests.tasks.captioning.photos.albums import album, rows, write_lines


def _refused(path: Path | str, **options: str) -> UserError:
    with pytest.raises(UserError) as raised:
        find_captions(str(path), **options)  # type: ignore[arg-type]
    assert len(str(raised.value).splitlines()) <= 5
    return raised.value


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("captions.jsonl", "LineCaptions"),
        ("captions.jsonl.gz", "LineCaptions"),
        ("mine.jsonl", "LineCaptions"),
        ("metadata.csv", "TableCaptions"),
        ("captions.txt", "TableCaptions"),
        ("mine.tsv.gz", "TableCaptions"),
        ("Flickr8k.token.txt", "TokenCaptions"),
        ("results_20130124.token", "TokenCaptions"),
        ("dataset_flickr30k.json", "KarpathyCaptions"),
        ("captions_val2014.json", "CocoCaptions"),
    ],
)
def test_a_files_name_says_what_it_is(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_text("")

    found = find_captions(str(tmp_path / name))

    assert type(found.source).__name__ == kind
    assert found.source.name == str(tmp_path / name)
    if "mine" not in name:
        assert type(find_captions(str(tmp_path)).source).__name__ == kind


def test_a_format_overrules_the_name(tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text("{}")

    error = _refused(tmp_path / "all.json")

    assert "does not say what it is" in str(error)
    assert error.where == "data.format"
    found = find_captions(str(tmp_path / "all.json"), "karpathy")
    assert type(found.source).__name__ == "KarpathyCaptions"


def test_captions_may_be_in_an_archive_of_their_own(tmp_path: Path) -> None:
    folder = album(tmp_path / "album", 3)
    with zipfile.ZipFile(folder / "annotations.zip", "w") as opened:
        opened.write(folder / "captions.jsonl", "annotations/captions.jsonl")
    (folder / "captions.jsonl").unlink()

    found = find_captions(str(folder))

    assert [each.file for each in found.source.records()] == ["0.png", "1.png", "2.png"]
    assert found.source.name == f"{folder}/annotations.zip/annotations/captions.jsonl"


def test_a_folder_without_captions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")

    error = _refused(tmp_path)

    assert "has no file of captions" in str(error)
    assert "captions.jsonl" in error.accepted
    assert "in the format 'coco'" in str(_refused(tmp_path, format="coco"))


def test_several_files_of_captions_are_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "captions.jsonl", rows(1))
    (tmp_path / "dataset.json").write_text("{}")

    error = _refused(tmp_path)

    assert "has several files of captions" in str(error)
    assert "captions.jsonl, dataset.json" in str(error)
    assert type(find_captions(str(tmp_path), "jsonl").source).__name__ == "LineCaptions"


@pytest.mark.parametrize("name", ["albun", "albun/captions.jsonl"])
def test_what_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    album(tmp_path / "album", 1)

    error = _refused(tmp_path / name)

    assert f"there is no folder, archive or file '{tmp_path / name}'" in str(error)
    assert error.closest in ("", str(tmp_path / "album"))


def test_a_mistyped_folder_is_not_asked_for_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    album(tmp_path / "data" / "album", 1)
    monkeypatch.chdir(tmp_path)

    error = _refused("data/albun")

    assert error.closest == "data/album"


def test_pictures_that_are_not_there_are_refused(tmp_path: Path) -> None:
    error = _refused(album(tmp_path / "album", 1), pictures=str(tmp_path / "none"))

    assert error.where == "data.pictures"


def test_a_format_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    error = _refused(tmp_path, format="jsonlines")

    assert error.closest == "jsonl"
    assert error.where == "data.format"


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK no archive")

    assert "is no zip archive that can be read" in str(_refused(tmp_path / "broken.zip"))
