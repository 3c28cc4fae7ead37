"""How finished hypotheses of different lengths are compared."""

from __future__ import annotations

import torch
from torch import Tensor


def length_penalty(lengths: Tensor, alpha: float) -> Tensor:
    """Return what a hypothesis's log-probability is divided by, to be ranked by the quotient.

    `((5 + length) / 6) ** alpha` (Wu et al. 2016, equation 14): at `alpha` 0 it is 1, and
    hypotheses are ranked by their probability, which prefers short ones; the larger `alpha`, the
    more a long one is forgiven.

    Args:
        lengths: Numbers of tokens, of any shape; the end mark is counted.
        alpha: At least 0.

    Returns:
        The divisors, float32 and finite, of the same shape; they never fall with the length.

    Raises:
        ValueError: `alpha` is below 0 or not a number: long hypotheses would then lose twice.
    """
    if not alpha >= 0.0:
        raise ValueError(f"length_penalty must be at least 0, not {alpha}")
    # On the CPU in float64: rounded once, and so never falling, however small alpha is.
    exact = ((5.0 + lengths.cpu().double()) / 6.0).pow(alpha)
    # An infinite divisor would make the score of what is impossible, -inf, not a number.
    return exact.clamp(max=torch.finfo(torch.float32).max).float().to(lengths.device)
