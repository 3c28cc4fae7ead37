"""An image encoder that gives one row of features for a picture: for the frames of clips."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from seqforge.vision.image_encoder import ImageEncoder

Pooling = Literal["mean", "max", "places"]
"""How regions become one: their mean; their maximum, which loses nothing small; or their maximum
and where it is, column and row of the spatial softmax (Levine et al. 2016, section 5.1)."""


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
        self.feature_size = pooled_size(self.image.feature_size, self.pooling)
        self.grid = (1, 1)

    def initialise(self) -> None:
        """Load pretrained weights.

        Raises:
            UserError: As the other one says.
        """
        self.image.initialise()

    def folded(self) -> PooledImageEncoder:
        """Return one around what the other one folds to."""
        folded = PooledImageEncoder(self.image.folded(), self.pooling)
        folded.feature_size, folded.grid = self.feature_size, self.grid
        return folded.eval()

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of pictures `(B, 3, S, S)`, pooled: `(B, 1, C)`."""
        return pooled(self.image(pictures), self.pooling, self.image.grid).unsqueeze(1)


def pooled(regions: Tensor, pooling: Pooling, grid: tuple[int, int]) -> Tensor:
    """Return one row of features for each picture.

    Args:
        regions: `(B, P, C)`.
        pooling: How they become one.
        grid: Rows and columns of regions.

    Returns:
        `(B, C)`; with "places" `(B, 3 C)`: maxima, columns and rows, the latter from -1 to 1.
    """
    if pooling == "mean":
        return regions.mean(dim=1)
    largest = regions.amax(dim=1)  # (B, C)
    if pooling == "max":
        return largest
    weights = regions.float().softmax(dim=1).to(regions.dtype)  # (B, P, C)
    rows, columns = (_spread(count).to(regions) for count in grid)
    places = torch.stack((columns.repeat(grid[0]), rows.repeat_interleave(grid[1])))  # (2, P)
    found = torch.einsum("kp,bpc->bkc", places, weights)  # (B, 2, C)
    return torch.cat((largest, found.flatten(1)), dim=1)


def _spread(count: int) -> Tensor:
    """Return places from -1 to 1; of one place, the middle."""
    return torch.linspace(-1.0, 1.0, count) if count > 1 else torch.zeros(1)


def pooled_size(features: int, pooling: Pooling) -> int:
    """Return the features of a pooled picture, of so many of a region."""
    return 3 * features if pooling == "places" else features
