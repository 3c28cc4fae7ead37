"""The one function by which the features of frozen image encoders are computed."""

from __future__ import annotations

import torch
from torch import Tensor

from seqforge.vision.image_encoder import ImageEncoder

CPU_PART = 8
"""Pictures that a CPU reads at a time: twice as fast as 64, whose values no cache can hold."""


def frozen_features(encoder: ImageEncoder, pictures: Tensor) -> Tensor:
    """Return the features of each region, `(N, P, C)` float16, without gradients.

    Computed in evaluation mode, in the encoder's own precision whatever autocast says, and rounded
    to half precision, so that features from the cache, which may be those of a folded encoder, and
    features computed anew agree up to rounding. Values beyond float16's range are cut off.

    Args:
        encoder: Built; whether it is in training mode is put back afterwards.
        pictures: `(N, 3, S, S)` uint8, on any device.

    Returns:
        The features, on the encoder's device.
    """
    device = next(encoder.parameters()).device
    modes = [(module, module.training) for module in encoder.modules()]
    encoder.eval()
    try:
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            parts = [_rounded(encoder(part.to(device))) for part in _parts(pictures, device)]
            return torch.cat(parts)
    finally:
        for module, mode in modes:
            module.training = mode


def _rounded(features: Tensor) -> Tensor:
    largest = torch.finfo(torch.float16).max
    return features.clamp(-largest, largest).to(torch.float16)


def _parts(pictures: Tensor, device: torch.device) -> tuple[Tensor, ...]:
    return pictures.split(CPU_PART) if device.type == "cpu" else (pictures,)
