"""An image encoder whose regions are pooled."""

import pytest
import torch

from seqforge.vision import ImageEncoder, PooledImageEncoder, Pooling, SmallCNN, pooled
from tests.tasks.captioning.networks import Normalised

PICTURES = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_regions_become_one(pooling: Pooling) -> None:
    image = SmallCNN(channels=(4, 8))
    made = PooledImageEncoder(image, pooling)
    made.build(16)
    regions = image(PICTURES)
    expected = regions.mean(1) if pooling == "mean" else regions.max(1).values

    assert regions.shape[1] > 1
    assert torch.equal(made(PICTURES), expected.unsqueeze(1))
    assert (made.grid, made.feature_size) == ((1, 1), image.feature_size)


def test_places_say_where_the_maximum_is() -> None:
    regions = torch.zeros(1, 12, 2)  # 3 rows of 4
    regions[0, 6, 0] = 50.0  # row 1, column 2
    regions[0, 3, 1] = 50.0  # row 0, column 3
    found = pooled(regions, "places", (3, 4))[0]

    assert torch.allclose(found, torch.tensor([50.0, 50.0, 1 / 3, 1.0, 0.0, -1.0]))


def test_where_nothing_stands_out_the_place_is_the_middle() -> None:
    assert torch.allclose(
        pooled(torch.ones(2, 9, 5), "places", (3, 3))[:, 5:], torch.zeros(2, 10), atol=1e-6
    )


def test_a_pooled_encoder_of_places_has_three_features_for_one() -> None:
    image = SmallCNN(channels=(4, 8))
    made = PooledImageEncoder(image, "places")
    made.build(16)
    assert made.feature_size == 3 * image.feature_size == made(PICTURES).shape[2]


@pytest.mark.parametrize("image", [SmallCNN(channels=(4,)), Normalised()])
def test_it_is_pretrained_where_the_other_is(image: ImageEncoder) -> None:
    made = PooledImageEncoder(image, "mean")
    made.build(16)
    made.initialise()
    made.train()

    assert made.pretrained == image.pretrained
    assert image.training != image.pretrained
    if isinstance(image, Normalised):
        assert torch.equal(image.norm.bias, torch.ones(6))
        assert not image.norm.training


def test_it_folds_to_the_pooled_features_of_what_the_other_one_folds_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image, other = SmallCNN(channels=(4, 8)), SmallCNN(channels=(4, 8))
    other.build(16)
    made = PooledImageEncoder(image, "max")
    made.build(16)
    monkeypatch.setattr(image, "folded", lambda: other)

    folded = made.folded()

    other.eval()
    assert folded(PICTURES).equal(other(PICTURES).amax(dim=1, keepdim=True))
    assert (folded.grid, folded.feature_size) == (made.grid, made.feature_size)
    assert not folded.training
    assert made.training
