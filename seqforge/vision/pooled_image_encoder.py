"""An image encoder that gives one row of features for a picture: for the frames of clips."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from seqforge.vision.image_encoder import ImageEncoder

Pooling = Literal["mean", "max"]
"""How regions become one: their mean, or their maximum, which loses nothing small."""


class PooledImageEncoder(ImageEncoder):
    """Another image encoder, whose regions are pooled into one.

    Args:
        image: The other one. Whether it is pretrained, this one is too.
        pooling: How its regions become one.
    """

    def __init__(self, image: ImageEncoder, pooling: Pooling) -> None:
        super().__init__()
        self.image = image
        self.pooling: Pooling = pooling
        self.pretrained = image.pretrained

    def build(self, size: int) -> None:
        """Make the network for pictures of `size` times `size` pixels.

        Raises:
            UserError: As the other one says.
        """
        self.image.build(size)
        self.feature_size, self.grid = self.image.feature_size, (1, 1)

    def initialise(self) -> None:
        """Load pretrained weights.

        Raises:
            UserError: As the other one says.
        """
        self.image.initialise()

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of pictures `(B, 3, S, S)`, pooled: `(B, 1, C)`."""
        return pooled(self.image(pictures), self.pooling).unsqueeze(1)


def pooled(regions: Tensor, pooling: Pooling) -> Tensor:
    """Return one row of features for each picture, `(B, C)`, of its regions' `(B, P, C)`."""
    return regions.mean(dim=1) if pooling == "mean" else regions.amax(dim=1)
