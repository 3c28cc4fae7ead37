"""Leaving unlikely tokens out before a draw: functions on scores that can be put after each other.

Each takes scores `(N, V)`, tempered log-probabilities up to a constant, and returns them with
`-inf` for what is left out. Every row is treated by itself, and of tokens that are equally likely
the one with the lower number comes first.
"""

from __future__ import annotations

import torch
from torch import Tensor


def keep_top_k(scores: Tensor, k: int) -> Tensor:
    """Keep the `k` likeliest tokens of each row (Fan et al. 2018).

    Args:
        scores: Log-probabilities up to a constant (N, V).
        k: How many; all where it is at least V.

    Returns:
        The scores (N, V), `-inf` for all other tokens.

    Raises:
        ValueError: `k` is below 1.
    """
    if k < 1:
        raise ValueError(f"top_k must keep at least one token, not {k}")
    order = _likeliest_first(scores)
    return scores.scatter(1, order[:, k:], -torch.inf)


def keep_top_p(scores: Tensor, p: float) -> Tensor:
    """Keep the nucleus of each row: the fewest likeliest tokens that have a mass of at least `p`.

    Nucleus sampling (Holtzman et al. 2020). What the scores leave out already has no mass.

    Args:
        scores: Log-probabilities up to a constant (N, V).
        p: Mass to reach, 0 to 1; one token is always kept.

    Returns:
        The scores (N, V), `-inf` for all other tokens.

    Raises:
        ValueError: `p` is not between 0 and 1.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"top_p must be between 0 and 1, not {p}")
    order = _likeliest_first(scores)
    reached = scores.gather(1, order).softmax(dim=1).cumsum(dim=1)
    left_out = torch.zeros_like(order, dtype=torch.bool)
    left_out[:, 1:] = reached[:, :-1] >= p  # those before are enough
    return scores.masked_fill(torch.zeros_like(left_out).scatter(1, order, left_out), -torch.inf)


def _likeliest_first(scores: Tensor) -> Tensor:
    return scores.argsort(dim=1, descending=True, stable=True)
