"""The finished hypotheses of each item: the best few, which nothing changes any more."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Pool(NamedTuple):
    """The n best finished hypotheses of each item, best first.

    It is a state in the sense of `seqforge.state`: rows can be taken with `select`.

    Attributes:
        scores: What they are ranked by (B, n); `-inf`: the place is free.
        log_probs: Their log-probabilities (B, n), the end mark's included.
        lengths: Their numbers of tokens (B, n), int64, the end mark not counted.
        slots: Their slots in the beam after so many tokens (B, n), int64.
    """

    scores: Tensor
    log_probs: Tensor
    lengths: Tensor
    slots: Tensor

    def offer(self, scores: Tensor, log_probs: Tensor, length: int) -> Pool:
        """Take in what is better than what is there; what is equal comes too late.

        Args:
            scores: The score of each slot of the beam if it ends now (B, W); `-inf`: it does not.
            log_probs: The log-probability of the same, the end mark's included (B, W).
            length: The tokens that these hypotheses have.

        Returns:
            The new pool. What was in it is the same or gone.
        """
        slots = torch.arange(scores.shape[1], device=scores.device).expand_as(scores)
        offered = (scores, log_probs, torch.full_like(slots, length), slots)
        everything = [torch.cat(pair, dim=1) for pair in zip(self, offered, strict=True)]
        order = everything[0].argsort(dim=1, descending=True, stable=True)
        order = order[:, : self.scores.shape[1]]
        return Pool(*(part.gather(1, order) for part in everything))


def empty_pool(items: int, size: int, device: torch.device) -> Pool:
    """Return a pool of so many items with nothing in it."""
    nothing = torch.full((items, size), -torch.inf, device=device)
    nowhere = torch.zeros(items, size, dtype=torch.int64, device=device)
    return Pool(nothing, nothing, nowhere, nowhere)
