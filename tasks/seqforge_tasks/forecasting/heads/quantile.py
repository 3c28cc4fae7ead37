"""Quantiles that cannot cross."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from seqforge.errors import UserError
from seqforge.metrics import pinball
from seqforge_tasks.forecasting.heads.base import Head, Predictive
from seqforge_tasks.forecasting.heads.raw_numbers import normal_draws, normal_scores, precise


class QuantilePredictive(Predictive):
    """A distribution that is known at some levels.

    Between them it is the straight line on normal probability paper, so that a normal distribution
    is met everywhere by two of its quantiles; beyond the outermost levels the last line goes on.

    Args:
        values: Quantiles `(…, Q)`, never decreasing.
        levels: Their `Q` levels, increasing.
    """

    def __init__(self, values: Tensor, levels: Sequence[float]) -> None:
        self.values = values
        self.levels = tuple(levels)

    def loss(self, target: Tensor) -> Tensor:
        """Return twice the mean pinball loss over the levels `(…)`: nearly the CRPS."""
        return 2 * pinball(target, self.values, self.levels).mean(dim=-1)

    def point(self) -> Tensor:
        """Return the median `(…)`."""
        return self.quantiles([0.5])[..., 0]

    def quantiles(self, levels: Sequence[float]) -> Tensor:
        """Return quantiles `(…, Q)`: the network's own where it has the level."""
        if tuple(levels) == self.levels:
            return self.values.cummax(dim=-1).values
        own = dict(zip(self.levels, self.values.unbind(dim=-1), strict=True))
        asked = normal_scores(levels, self.values)
        columns = [
            own[level] if level in own else self._at(asked[number])
            for number, level in enumerate(levels)
        ]
        # They cannot cross but by rounding, which is taken away here.
        return torch.stack(columns, dim=-1).cummax(dim=-1).values

    def sample(self, uniform: Tensor) -> Tensor:
        """Return one value each `(…)`, by the inverse of the distribution function.

        Args:
            uniform: `(2, …)`, random numbers from 0 to 1.
        """
        return self._at(normal_draws(uniform, self.values))

    def _at(self, score: Tensor) -> Tensor:
        """Return the quantile at normal scores that broadcast to `(…)`."""
        if len(self.levels) == 1:
            return self.values[..., 0]
        own = normal_scores(self.levels, self.values)  # (Q,)
        above = torch.searchsorted(own, score).clamp(1, len(self.levels) - 1)
        share = (score - own[above - 1]) / (own[above] - own[above - 1])
        place = above.expand(self.values.shape[:-1]).unsqueeze(-1)
        low = self.values.gather(-1, place - 1)[..., 0]
        high = self.values.gather(-1, place)[..., 0]
        return low + share * (high - low)


class QuantileHead(Head):
    """Predicts quantiles, trained by pinball loss (Koenker and Bassett 1978, Wen et al. 2017).

    The network gives the quantile at the middle level and the distances to the next ones, each
    through a softplus: quantiles cannot cross, whatever the weights. Numbers of 0 are the quantiles
    of a standard normal distribution.

    Args:
        levels: Probabilities between 0 and 1, in increasing order.

    Raises:
        UserError: There is no level, or they are out of range or order.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        super().__init__()
        rising = all(low < high for low, high in pairwise(levels))
        if not (levels and rising and levels[0] > 0 and levels[-1] < 1):
            raise UserError(
                f"quantiles {list(levels)} are no increasing probabilities between 0 and 1",
                where="model.task.quantiles",
                todo="give levels such as [0.1, 0.5, 0.9]",
            )
        self.levels = tuple(levels)
        self.size = len(self.levels)
        self.middle = self.size // 2
        scores = normal_scores(self.levels, torch.zeros((), dtype=torch.float64))
        start, gaps = float(scores[self.middle]), scores.diff() / math.log(2)
        self.start = start
        self.gaps: list[float] = gaps.tolist()

    def forward(self, raw: Tensor, location: Tensor, scale: Tensor) -> QuantilePredictive:
        """Return predictions `(…)`, from numbers `(…, Q)`."""
        raw = precise(raw)
        below, base, above = raw.tensor_split([self.middle, self.middle + 1], dim=-1)
        base = base + self.start
        gaps = raw.new_tensor(self.gaps)
        down = (F.softplus(below) * gaps[: self.middle]).flip(-1).cumsum(dim=-1).flip(-1)
        up = (F.softplus(above) * gaps[self.middle :]).cumsum(dim=-1)
        values = torch.cat([base - down, base, base + up], dim=-1)
        values = location.unsqueeze(-1) + scale.unsqueeze(-1) * values
        return QuantilePredictive(values, self.levels)
