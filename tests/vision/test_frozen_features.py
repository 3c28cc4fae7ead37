"""How the features of frozen encoders are computed, wherever that is."""

import pytest
import torch
from torch import Tensor, nn

from seqforge.vision import ImageEncoder, frozen_features


class Drifting(ImageEncoder):
    """Has all that a frozen network must not show: dropout, and statistics of batches."""

    def build(self, size: int) -> None:
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        self.scale = nn.Linear(3, 2, bias=False)
        self.grid, self.feature_size = (size, size), 2

    def forward(self, pictures: Tensor) -> Tensor:
        values = self.drop(self.norm(pictures.to(self.scale.weight.dtype)))
        features: Tensor = self.scale(values.flatten(2).transpose(1, 2))
        return features


def _built() -> Drifting:
    torch.manual_seed(0)
    encoder = Drifting()
    encoder.build(4)
    return encoder.train()


def _pictures(count: int = 3) -> Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 4, 4), generator=chance, dtype=torch.uint8)


def test_nothing_drifts_and_modes_are_put_back() -> None:
    encoder = _built()
    encoder.drop.eval()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}

    first = frozen_features(encoder, _pictures())
    second = frozen_features(encoder, _pictures())

    assert torch.equal(first, second)
    assert encoder.training
    assert encoder.norm.training
    assert not encoder.drop.training
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_modes_are_put_back_after_an_error() -> None:
    encoder = _built()
    try:
        frozen_features(encoder, _pictures()[:, :2])
    except RuntimeError:
        assert encoder.norm.training
    else:
        raise AssertionError("two channels are one too few")


def test_shape_and_precision() -> None:
    encoder = _built()
    features = frozen_features(encoder, _pictures())

    assert features.shape == (3, 16, 2)
    assert features.dtype == torch.float16
    assert not features.requires_grad
    with torch.no_grad():
        assert torch.equal(features, encoder.eval()(_pictures()).half())


@pytest.mark.parametrize("count", [0, 1, 8, 9, 20])
def test_any_number_of_pictures(count: int) -> None:
    encoder = _built()
    with torch.no_grad():
        expected = encoder.eval()(_pictures(count)).half()

    assert torch.allclose(frozen_features(encoder, _pictures(count)), expected, atol=1e-2)


def test_autocast_changes_nothing() -> None:
    encoder = _built()
    expected = frozen_features(encoder, _pictures())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(frozen_features(encoder, _pictures()), expected)


def test_values_beyond_half_precision_stay_finite() -> None:
    encoder = _built()
    with torch.no_grad():
        encoder.scale.weight.mul_(1e5)

    features = frozen_features(encoder, _pictures())

    assert features.isfinite().all()
    assert features.abs().max() == torch.finfo(torch.float16).max
