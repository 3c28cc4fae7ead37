"""Published photos, where they are at hand."""

from pathlib import Path

import pytest

from seqforge_tasks.captioning.photos.photos import Part
from tests.tasks.captioning.photos.albums import opened

PARTS: tuple[Part, ...] = ("train", "validation", "test")


def test_coco_mini_is_read_from_its_archive(data_root: Path, tmp_path: Path) -> None:
    data = opened(data_root / "coco_mini", tmp_path, image_size=32)

    assert [len(data.photos(part)) for part in PARTS] == [72, 8, 79]
    assert data.photos("test").picture(0).shape == (3, 32, 32)


@pytest.mark.slow
def test_flickr8k_keeps_photos_for_selection(data_root: Path, tmp_path: Path) -> None:
    data = opened(data_root / "flickr8k", tmp_path, select=500, report="val", max_length=60)

    train, validation, test = (set(data.photos(part).keys) for part in PARTS)
    assert [len(data.photos(part)) for part in PARTS] == [5500, 500, 1000]
    assert not train & validation | train & test | validation & test
    assert len(data.train_dataloader().samples) == 27_500  # type: ignore[arg-type]
