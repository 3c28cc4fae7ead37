"""`ImageEncoder`: pictures in, a grid of features out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from torch import Tensor, nn


class ImageEncoder(nn.Module, ABC):
    """Base class of image encoders, the members of the entry-point group `seqforge.image_encoders`.

    The constructor takes hyperparameters only: plain values, each kept as an attribute of the same
    name, because checkpoints store them by reading those attributes. The network is made in
    `build`, in fresh fits and when a checkpoint is loaded; pretrained weights come in `initialise`,
    in fresh fits only. All weights, pretrained ones too, are saved in checkpoints.

    Class attributes:
        pretrained: Whether `initialise` loads weights that were trained before. What `build` makes
            is then in evaluation mode at all times, in fine-tuning too: batch normalisation keeps
            its statistics, which a task's small batches would spoil, and nothing is dropped.

    Attributes:
        feature_size: `C`, features of a region; set by `build`.
        grid: `(h, w)`, rows and columns of regions; set by `build`.
    """

    pretrained: bool = False
    feature_size: int
    grid: tuple[int, int]

    def __init__(self) -> None:  # of its own: nn.Module's takes anything and stores nothing
        super().__init__()

    def train(self, mode: bool = True) -> Self:
        """Set the mode of this module, and of its parts unless they are pretrained."""
        super().train(mode)
        if self.pretrained:
            for part in self.children():
                part.eval()
        return self

    @abstractmethod
    def build(self, size: int) -> None:
        """Make the network for pictures of `size` times `size` pixels; weights are random yet.

        Raises:
            UserError: The size does not suit the network, or a package is not installed.
        """

    def initialise(self) -> None:
        """Load pretrained weights, in place. Called once, when a fresh fit starts.

        Raises:
            UserError: There are none to be had, or they do not fit.
        """

    def folded(self) -> ImageEncoder:
        """Return what computes the same features, up to rounding, in evaluation alone.

        It may be faster, and share weights with this one; it is neither trained nor saved. Without
        anything to gain, this one itself.
        """
        return self

    @abstractmethod
    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of each region, `(B, P, C)`.

        Args:
            pictures: `(B, 3, S, S)` uint8, RGB, as `ImageTransform` gives them. Whatever else the
                network wants, such as normalised values, it does itself.

        Returns:
            `P = h * w` regions, row by row from the top left.
        """
