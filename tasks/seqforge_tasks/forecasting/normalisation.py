"""Instance normalisation: each window in a scale of its own, and back."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from seqforge.errors import UserError, closest_match

Normalisation = Literal["none", "last", "mean", "standard"]
KINDS: tuple[str, ...] = get_args(Normalisation)
EPSILON = 1e-5
"""Added to variances, as in RevIN: constant windows are divided by its root."""


class Frame(NamedTuple):
    """The scale of each window: `x = normalised * scale + location`.

    Attributes:
        location: `(B, 1, K)`.
        scale: `(B, 1, K)`, above 0.
    """

    location: Tensor
    scale: Tensor

    def apply(self, values: Tensor) -> Tensor:
        """Return values `(B, T, K)` in the window's own scale."""
        return (values - self.location) / self.scale


def frame_of(kind: Normalisation, context: Tensor, observed: Tensor) -> Frame:
    """Return the scale of each window, from its observed context alone.

    "standard" is the reversible instance normalisation of Kim et al. 2022 (RevIN) without its
    affine map, "last" the subtraction of the last value of NLinear and SegRNN.

    Args:
        kind: "none", "last" (value), "mean", or "standard" (mean and deviation).
        context: `(B, L, K)`, finite.
        observed: `(B, L, K)` bool; what is not observed counts for nothing.

    Returns:
        The scale; location 0 and scale 1 where nothing is observed.

    Raises:
        UserError: There is no such kind.
    """
    if kind not in KINDS:
        raise UserError(
            f"normalisation '{kind}'",
            where="model.task.normalisation",
            accepted=KINDS,
            closest=closest_match(kind, KINDS),
        )
    zero = context.new_zeros(context.size(0), 1, context.size(2))  # (B, 1, K)
    one = torch.ones_like(zero)
    if kind == "none":
        return Frame(zero, one)
    if kind == "last":
        return Frame(_last_observed(context, observed), one)
    weight = observed.to(context.dtype)
    count = weight.sum(dim=1, keepdim=True).clamp(min=1.0)
    mean = (context * weight).sum(dim=1, keepdim=True) / count
    if kind == "mean":
        return Frame(mean, one)
    variance = ((context - mean).square() * weight).sum(dim=1, keepdim=True) / count
    some = observed.any(dim=1, keepdim=True)
    return Frame(mean, torch.where(some, (variance + EPSILON).sqrt(), one))


def _last_observed(context: Tensor, observed: Tensor) -> Tensor:
    """Return the last observed value of each window and channel `(B, 1, K)`, or 0."""
    steps = torch.arange(1, context.size(1) + 1, device=context.device).view(1, -1, 1)
    last = (steps * observed).amax(dim=1, keepdim=True)  # (B, 1, K), 0: none
    value = context.gather(1, (last - 1).clamp(min=0))
    return torch.where(last > 0, value, torch.zeros_like(value))
