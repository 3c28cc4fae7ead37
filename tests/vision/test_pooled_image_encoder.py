"""An image encoder whose regions are pooled."""

import pytest
import torch

from seqforge.vision import ImageEncoder, PooledImageEncoder, Pooling, SmallCNN
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
