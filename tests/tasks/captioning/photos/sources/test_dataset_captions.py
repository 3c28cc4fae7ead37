"""Captions and pictures of a data set of the `datasets` library."""

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from seqforge.errors import UserError
from seqforge.vision import ImageTransform, read_image
from seqforge_tasks.captioning.photos.sources.dataset_captions import DatasetCaptions
from tests.tasks.captioning.photos.albums import captions, opened, picture


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "hub")
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def _write(folder: Path, splits: dict[str, dict[str, list[Any]]], picture_column: str) -> Path:
    import datasets

    folder.mkdir()
    for split, columns in splits.items():
        rows = datasets.Dataset.from_dict(columns)
        if picture_column in columns:
            rows = rows.cast_column(picture_column, datasets.Image())
        rows.to_parquet(str(folder / f"{split}.parquet"))
    return folder


def _pictures(numbers: range) -> list[dict[str, Any]]:
    return [{"bytes": picture(number), "path": f"{number}.png"} for number in numbers]


def test_rows_name_their_own_split_as_in_flickr30k(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {
        "image": _pictures(range(10)),
        "caption": [captions(number) for number in range(10)],
        "split": ["train"] * 6 + ["val"] * 2 + ["test"] * 2,
    }
    folder = _write(tmp_path / "album", {"test": columns}, "image")

    data = opened(folder, tmp_path / "cache")

    assert [len(data.photos(part)) for part in ("train", "validation", "test")] == [6, 2, 2]
    assert data.photos("test").captions == (tuple(captions(8)), tuple(captions(9)))
    expected = ImageTransform(8)(read_image(io.BytesIO(picture(9))))
    assert torch.equal(data.photos("test").picture(1), expected)
    assert len(data.photos("test").keys[0]) == 32


def test_the_data_sets_own_splits_count_where_rows_have_none(tmp_path: Path) -> None:
    splits: dict[str, dict[str, list[Any]]] = {
        split: {"picture": _pictures(numbers), "text": [captions(n)[0] for n in numbers]}
        for split, numbers in (("train", range(5)), ("validation", range(5, 8)))
    }
    folder = _write(tmp_path / "album", splits, "picture")

    data = opened(folder, tmp_path / "cache", select=1)

    assert len(data.photos("train")) == 4
    assert data.photos("test").names == ("validation/0", "validation/1", "validation/2")
    assert "A " in data.photos("train").captions[0][0]


def test_a_row_without_a_picture_can_be_skipped(tmp_path: Path) -> None:
    pictures: list[Any] = _pictures(range(8))
    pictures[2] = None
    columns: dict[str, list[Any]] = {
        "image": pictures,
        "text": [captions(number)[0] for number in range(8)],
    }
    folder = _write(tmp_path / "album", {"train": columns}, "image")

    with pytest.raises(UserError, match="row 2, has no picture"):
        opened(folder, tmp_path / "cache", select=1, report=1)

    data = opened(folder, tmp_path / "cache", select=1, report=1, on_error="skip")
    assert len(data.photos("train")) == 5
    assert any("1 pictures that cannot be read" in line for line in data.notes())


def test_damaged_pictures_are_named(tmp_path: Path) -> None:
    pictures = _pictures(range(8))
    pictures[3]["bytes"] = b"no picture"
    columns: dict[str, list[Any]] = {
        "image": pictures,
        "text": [captions(number)[0] for number in range(8)],
    }
    folder = _write(tmp_path / "album", {"train": columns}, "image")

    with pytest.raises(UserError, match="train/3"):
        opened(folder, tmp_path / "cache", select=1, report=1)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ["One"]}, "has no column of pictures: there are text"),
        ({"image": _pictures(range(1)), "label": ["One"]}, "has no column for captions"),
    ],
)
def test_columns_that_are_missing_are_named(
    tmp_path: Path, columns: dict[str, list[Any]], message: str
) -> None:
    folder = _write(tmp_path / "album", {"train": columns}, "image")

    with pytest.raises(UserError) as raised:
        list(DatasetCaptions(str(folder)).records())

    assert message in str(raised.value)
    assert raised.value.where == "data.path"


def test_a_data_set_that_cannot_be_fetched_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        opened("nobody/has-such-photos", tmp_path / "cache")

    assert "nobody/has-such-photos" in str(raised.value)
    assert raised.value.where == "data.path"
    assert len(str(raised.value).splitlines()) <= 5


def test_pictures_keep_their_bytes(tmp_path: Path) -> None:
    made = io.BytesIO()
    Image.new("CMYK", (9, 9)).save(made, "JPEG")
    columns: dict[str, list[Any]] = {
        "image": [{"bytes": made.getvalue(), "path": None}],
        "text": ["One"],
    }

    source = DatasetCaptions(str(_write(tmp_path / "album", {"train": columns}, "image")))

    assert source.read("train/0") == made.getvalue()
