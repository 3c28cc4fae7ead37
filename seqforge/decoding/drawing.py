"""Whole sequences drawn from a model, to learn from: the same whatever batch they are drawn in."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from seqforge.decoding.step import Step
from seqforge.state import State


class DrawnSequences(NamedTuple):
    """Sequences of tokens.

    Attributes:
        tokens: `(N, T)` int64; behind a row's end its `end` again.
        lengths: `(N,)` int64, tokens of each row with its `end`, where it has one.
        finished: `(N,)` bool, whether `end` was drawn.
    """

    tokens: Tensor
    lengths: Tensor
    finished: Tensor


@torch.no_grad()
def draw_sequences(
    step: Step,
    first: Tensor,
    state: State,
    places: Tensor,
    end: int,
    limits: Tensor | None = None,
) -> DrawnSequences:
    """Draw a sequence in each row from what the model gives, token by token.

    Each token is the one whose share of the line from 0 to 1, in order of the numbers of tokens,
    holds the row's place of that step: all rows at once, and given the places nothing is random.

    Args:
        step: The model.
        first: The last known token of each row `(N,)`.
        state: The model's state before `first`.
        places: `(N, T)`, uniform in [0, 1); NaN takes the likeliest token instead. As many tokens
            are drawn at most.
        end: The token that ends a row.
        limits: `(N,)`, tokens of each row at most, 1 or more; None: as many as there are places.
    """
    tokens, alive = first, torch.ones_like(first, dtype=torch.bool)
    finished = torch.zeros_like(alive)
    drawn: list[Tensor] = []
    lengths = torch.zeros_like(first)
    for t in range(places.size(1)):
        out = step(tokens, state)
        state = out.state
        tokens = torch.where(alive, _chosen(out.log_probs, places[:, t : t + 1]), end)
        drawn.append(tokens)
        lengths += alive
        finished = finished | (alive & (tokens == end))
        alive = alive & ~finished
        if limits is not None:
            alive = alive & (lengths < limits)
        if not alive.any():
            break
    return DrawnSequences(torch.stack(drawn, dim=1), lengths, finished)


def _chosen(log_probs: Tensor, place: Tensor) -> Tensor:
    """Return the token of each row `(N,)`, of log-probabilities `(N, V)` and places `(N, 1)`."""
    mass = log_probs.exp().cumsum(dim=1)
    found = torch.searchsorted(
        mass, place.nan_to_num(0.0).to(mass.dtype) * mass[:, -1:], right=True
    )
    found = found.squeeze(1)
    # Rounding can put a place at the very end of the line: behind all tokens that can come.
    none = place.squeeze(1).isnan() | (found == mass.size(1))
    return torch.where(none, log_probs.argmax(dim=1), found)
