"""What all heads do to the network's numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

FLOOR: Final = 1e-4
"""The least deviation: squared errors over its square stay far within float32."""

SMALLEST: Final = 2.0**-25
"""Stands for a random number of 0 where a logarithm is asked for."""

_SHIFT: Final = math.log(math.expm1(1 - FLOOR))


def precise(raw: Tensor) -> Tensor:
    """Return numbers in float32, or float64 if they are: half precision is no scale to score in."""
    return raw.to(torch.promote_types(raw.dtype, torch.float32))


def deviation(raw: Tensor) -> Tensor:
    """Return `softplus(raw + c) + FLOOR` `(…)`, with the `c` that makes 0 a deviation of 1."""
    return F.softplus(raw + _SHIFT) + FLOOR


def normal_draws(uniform: Tensor, like: Tensor) -> Tensor:
    """Return draws of the standard normal distribution `(…)`, of a tensor's type and device.

    By Box and Muller (1958).

    Args:
        uniform: `(2, …)`, random numbers from 0 to 1.
        like: The tensor.
    """
    first, second = uniform.to(like)
    radius = (-2 * first.clamp(min=SMALLEST).log()).sqrt()
    drawn: Tensor = radius * torch.cos(2 * math.pi * second)
    return drawn


def normal_scores(levels: Sequence[float], like: Tensor) -> Tensor:
    """Return the standard normal distribution's quantiles `(Q,)`, of a tensor's type and device."""
    exact: Tensor = torch.special.ndtri(torch.tensor(levels, dtype=torch.float64))
    return exact.to(like.dtype).to(like.device)
