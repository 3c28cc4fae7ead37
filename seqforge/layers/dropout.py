"""Dropout, plain and locked.

Plain dropout draws per element and step. Locked dropout (Gal & Ghahramani 2016, "A Theoretically
Grounded Application of Dropout in Recurrent Neural Networks") draws one mask per sequence and uses
it at every step. The mask is a value that the caller keeps in its state's `Noise`: it is drawn
once, when a sequence begins, so that the whole sequence and its single steps see the same mask.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIXTEEN_BITS = 2**16


def draw_mask(shape: tuple[int, ...], rate: float, like: Tensor) -> Tensor:
    """Draw a mask that drops with probability `rate` and keeps the expected value.

    Args:
        shape: The mask's shape, such as `(B, H)`.
        rate: The probability of a zero, in [0, 1).
        like: A tensor whose device and dtype the mask takes; lower dtypes become float32, as the
            mask is part of the state.

    Returns:
        A tensor of 0 and `1 / (1 - rate)`.
    """
    dtype = torch.promote_types(like.dtype, torch.float32)
    keep = torch.full(shape, 1.0 - rate, device=like.device, dtype=dtype)
    return torch.bernoulli(keep) / (1.0 - rate)


def locked_dropout(x: Tensor, mask: Tensor) -> Tensor:
    """Apply one mask to every step of a sequence.

    Args:
        x: `(B, H)`, one step, or `(B, T, H)`, a sequence.
        mask: `(B, H)` from `draw_mask`.

    Returns:
        The shape and dtype of `x`.
    """
    mask = mask.to(x.dtype)
    return x * (mask if x.dim() == mask.dim() else mask.unsqueeze(1))


def plain_dropout(x: Tensor, rate: float) -> Tensor:
    """Drop each element on its own, anew at each call (Srivastava et al. 2014).

    Args:
        x: Any shape.
        rate: The probability of a zero, in [0, 1); on a CPU rounded to a multiple of 1 / 65536.

    Returns:
        The shape and dtype of `x`, kept elements divided by the probability of being kept.
    """
    if x.device.type != "cpu":
        return F.dropout(x, rate, training=True)
    # PyTorch draws one number an element, in one thread; 16 bits decide as well, and 64 come at
    # once. The scale belongs to the rate that they can express, so that the mean is kept.
    dropped = min(round(rate * SIXTEEN_BITS), SIXTEEN_BITS - 1)
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
    words.random_(-(2**63), None)
    kept = words.view(torch.int16)[: x.numel()] >= dropped - SIXTEEN_BITS // 2
    scale = SIXTEEN_BITS / (SIXTEEN_BITS - dropped)
    return x * kept.view(x.shape).to(x.dtype).mul_(scale)


class Dropout(nn.Module):
    """`plain_dropout` in training: what `torch.nn.Dropout` is, several times as fast on a CPU.

    Args:
        rate: The probability of a zero, in [0, 1).

    Raises:
        ValueError: The rate is out of range.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"a rate of dropout is at least 0 and below 1, not {rate}")
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements in training; else return what was given."""
        return plain_dropout(x, self.rate) if self.training and self.rate > 0 else x

    def extra_repr(self) -> str:
        """Show the rate."""
        return f"{self.rate}"
