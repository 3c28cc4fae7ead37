"""Features of image encoders that rest are computed once, and only while they are of use."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seqforge.data import DataModule
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.photos.image_captions import ImageCaptions
from tests.tasks.captioning.networks import Normalised, task
from tests.tasks.captioning.photos.albums import album, opened

SIDE = 16
SPLITS = ["train", "train", "val", "test"]


class Counted(Normalised):
    """Counts the pictures that it reads."""

    def build(self, size: int) -> None:
        super().build(size)
        self.read = 0

    def forward(self, pictures: Tensor) -> Tensor:
        self.read += len(pictures)
        return super().forward(pictures)


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> ImageCaptions:
    return opened(album(tmp_path / "album", 8, SPLITS), tmp_path / "cache", image_size=SIDE)


def _attached(data: DataModule, epoch: int | None) -> tuple[Any, int]:
    """Return the image encoder of a network that was attached to data, and what it read then."""
    made = task(Counted(), finetune_epoch=epoch).float()
    made.initialise()
    made.attach(data)
    image: Any = made.network.image
    return image, image.read


def _batches(loader: Any) -> list[CaptionBatch]:
    return list(loader)


def _first(loader: Any) -> CaptionBatch:
    return _batches(loader)[0]


def test_a_frozen_encoder_reads_each_picture_once_for_all_fits(
    data: ImageCaptions, tmp_path: Path
) -> None:
    image, read = _attached(data, None)
    probes = 2  # for each file one, of a fixed picture
    assert read == len(data.pictures("train")) + len(data.pictures("validation")) + probes
    assert len(list((tmp_path / "cache").glob("features-*.npy"))) == 2

    trained, (loader,) = _first(data.train_dataloader()), data.val_dataloader().values()
    validated = _first(loader)
    assert trained.pictures is None
    assert trained.features is not None
    assert validated.pictures is not None  # they are shown
    assert validated.features is not None
    expected = image(validated.pictures)
    torch.testing.assert_close(validated.features.float(), expected, rtol=1e-3, atol=1e-3)

    again = opened(tmp_path / "album", tmp_path / "cache", image_size=SIDE)
    assert _attached(again, None)[1] == probes
    assert _first(again.train_dataloader()).features is not None


def test_features_are_for_epochs_before_fine_tuning_alone(
    data: ImageCaptions, tmp_path: Path
) -> None:
    _, read = _attached(data, 1)
    assert read == len(data.pictures("train")) + 1
    loader = data.train_dataloader()
    epochs = [_batches(loader), _batches(loader)]

    assert all(batch.features is not None for batch in epochs[0])
    assert all(batch.pictures is not None for batch in epochs[1])
    assert all(batch.features is None for batch in epochs[1])
    (measured,) = data.val_dataloader().values()
    assert _first(measured).features is None


@pytest.mark.parametrize(("epoch", "computed"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_fit_that_goes_on_with_fine_tuning_computes_none(
    epoch: int, computed: bool, data: ImageCaptions
) -> None:
    data.load_state_dict({"epoch": epoch, "delivered": 0})
    _, read = _attached(data, 2)

    assert (read > 0) == computed
    batch = _first(data.train_dataloader())
    assert (batch.features is not None) == computed
    assert (batch.pictures is None) == computed


def test_an_encoder_that_is_trained_at_once_or_data_of_another_kind_get_none(
    data: ImageCaptions,
) -> None:
    assert _attached(data, 0)[1] == 0
    assert _attached(DataModule(batch_size=2), None)[1] == 0
