"""A forecast as sample paths."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqforge_tasks.forecasting.heads.base import Predictive


class SamplePaths(Predictive):
    """Values drawn from what is predicted, in the form of empirical distributions.

    Args:
        samples: `(…, P)`, the last dimension over paths. A single path is a point forecast.
    """

    def __init__(self, samples: Tensor) -> None:
        self.samples = samples
        self._sorted = samples.sort(dim=-1).values

    def loss(self, target: Tensor) -> Tensor:
        """Return the continuous ranked probability score of each value `(…)`.

        `E|X - y| - E|X - X'| / 2` over the samples (Gneiting and Raftery 2007); for a single path
        the absolute error.
        """
        count = self.samples.size(-1)
        error = (self.samples - target.unsqueeze(-1)).abs().mean(dim=-1)
        # Of sorted values the mean difference is a weighted sum.
        rank = torch.arange(1, count + 1, device=self.samples.device, dtype=self.samples.dtype)
        spread = (self._sorted * (2 * rank - count - 1)).sum(dim=-1) / count**2
        return error - spread

    def point(self) -> Tensor:
        """Return the median `(…)`."""
        return self.quantiles([0.5])[..., 0]

    def quantiles(self, levels: Sequence[float]) -> Tensor:
        """Return quantiles `(…, Q)`, linear between the sorted samples."""
        place = torch.tensor(levels, device=self.samples.device, dtype=self.samples.dtype)
        place = place * (self.samples.size(-1) - 1)
        below = place.floor().long()
        share = place - below
        above = (below + 1).clamp(max=self.samples.size(-1) - 1)
        low, high = self._sorted[..., below], self._sorted[..., above]
        return low + share * (high - low)

    def sample(self, uniform: Tensor) -> Tensor:
        """Return one of the paths' values each `(…)`, by random numbers `(2, …)` from 0 to 1."""
        count = self.samples.size(-1)
        drawn = (uniform[0].to(self.samples) * count).long().clamp(max=count - 1)
        return self.samples.gather(-1, drawn.unsqueeze(-1))[..., 0]
