"""`SmallCNN`: a few convolutions, trained from scratch together with the task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from seqforge.errors import UserError
from seqforge.vision.image_encoder import ImageEncoder

GROUPS = 8


class SmallCNN(ImageEncoder):
    """Convolutions that halve the picture at every stage, for small pictures and little data.

    Channels are normalised in groups, within each picture: results do not depend on a batch's other
    pictures, in training neither. Two more input channels hold each pixel's place, -1 to 1, from
    which the network knows left from right and above from below (Liu et al. 2018, CoordConv); two
    more features hold each region's place.

    Args:
        channels: Of each stage; the picture's sides are halved as often: `(32, 64, 128)` makes
            8 x 8 regions of 64 x 64 pixels, with 130 features each.
        convolutions: How many of them a stage has; the first one halves.

    Raises:
        UserError: A number is not positive.
    """

    def __init__(self, channels: Sequence[int] = (32, 64, 128), convolutions: int = 1) -> None:
        super().__init__()
        if not channels or min(channels) < 1 or convolutions < 1:
            raise UserError(
                f"a network cannot have {convolutions} convolutions of {list(channels)} channels",
                where="model.task.image_encoder",
                todo="give positive numbers, such as channels: [32, 64, 128]",
            )
        self.channels = tuple(channels)
        self.convolutions = convolutions

    def build(self, size: int) -> None:
        """Make the network for pictures of `size` times `size` pixels.

        Raises:
            UserError: The pictures are too small to be halved so often.
        """
        halvings = len(self.channels)
        if size < 2**halvings:
            raise UserError(
                f"pictures of {size} pixels cannot be halved {halvings} times",
                where="data.image_size",
                accepted=[f"{2**halvings} or more"],
                todo="give larger pictures, or fewer channels: --model.task.image_encoder.channels",
            )
        stages: list[nn.Module] = []
        for inputs, outputs in pairwise((5, *self.channels)):
            stages += _convolution(inputs, outputs, stride=2)
            for _ in range(self.convolutions - 1):
                stages += _convolution(outputs, outputs, stride=1)
        self.network = nn.Sequential(*stages)
        convert_conv2d_weight_memory_format(self.network, torch.channels_last)  # faster on a CPU
        side = size
        for _ in self.channels:
            side = (side + 1) // 2
        self.grid = (side, side)
        self.feature_size = self.channels[-1] + 2
        self.register_buffer("places", _places(size), persistent=False)
        self.register_buffer("region_places", _places(side), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of each region, `(B, P, C)`, of pictures `(B, 3, S, S)` uint8."""
        places = self.get_buffer("places")
        values = pictures.to(places.dtype) / 127.5 - 1
        inputs = torch.cat((values, places.expand(len(pictures), -1, -1, -1)), dim=1)
        features: Tensor = self.network(inputs)
        regions = self.get_buffer("region_places").to(features.dtype)
        placed = torch.cat((features, regions.expand(len(pictures), -1, -1, -1)), dim=1)
        return placed.flatten(2).transpose(1, 2)


def _places(side: int) -> Tensor:
    """Return columns and rows of a grid, from -1 to 1, `(2, side, side)`."""
    places = torch.linspace(-1.0, 1.0, side) if side > 1 else torch.zeros(1)
    rows, columns = torch.meshgrid(places, places, indexing="ij")
    return torch.stack((columns, rows))


def _convolution(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return [convolution, nn.GroupNorm(math.gcd(outputs, GROUPS), outputs), nn.ReLU()]
