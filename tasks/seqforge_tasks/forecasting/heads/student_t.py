"""Student's t-distributions: outliers are expected, and cost less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor
from torch.distributions import StudentT

from seqforge_tasks.forecasting.heads.base import Head, Predictive
from seqforge_tasks.forecasting.heads.raw_numbers import SMALLEST, deviation, precise

FEWEST: Final = 2.1
"""Least degrees of freedom: above 2 there is a variance."""

MOST: Final = 100.0
"""Most of them: nearly normal; further up float32 loses the likelihood's digits."""

_START: Final = 10.0
_SHIFT: Final = math.log((_START - FEWEST) / (MOST - _START))


class StudentTPredictive(Predictive):
    """A t-distribution for each value.

    Args:
        freedom: Degrees of freedom `(…)`, above 2.
        middle: `(…)`.
        scale: `(…)`, above 0.
    """

    def __init__(self, freedom: Tensor, middle: Tensor, scale: Tensor) -> None:
        self.distribution = StudentT(freedom, middle, scale, validate_args=False)

    def loss(self, target: Tensor) -> Tensor:
        """Return the negative log-likelihood of each value `(…)`, in nats."""
        likelihood: Tensor = self.distribution.log_prob(target)
        return -likelihood

    def point(self) -> Tensor:
        """Return the middle, which is mean and median `(…)`."""
        return self.distribution.loc

    def quantiles(self, levels: Sequence[float]) -> Tensor:
        """Return quantiles `(…, Q)`; they carry no gradient to the degrees of freedom."""
        middle, scale = self.distribution.loc, self.distribution.scale
        freedom = self.distribution.df.detach().cpu().numpy().astype(np.float64)
        scores = torch.from_numpy(_scores(freedom, levels)).to(middle.dtype).to(middle.device)
        return middle.unsqueeze(-1) + scale.unsqueeze(-1) * scores

    def sample(self, uniform: Tensor) -> Tensor:
        """Return one value each `(…)`, by the polar method of Bailey (1994).

        Args:
            uniform: `(2, …)`, random numbers from 0 to 1.
        """
        freedom, middle = self.distribution.df, self.distribution.loc
        first, second = uniform.to(middle)
        radius = torch.expm1(-2 / freedom * first.clamp(min=SMALLEST).log())
        drawn = (freedom * radius).sqrt() * torch.cos(2 * math.pi * second)
        return middle + self.distribution.scale * drawn


class StudentTHead(Head):
    """Predicts Student's t-distributions, trained by likelihood (as in GluonTS's DeepAR).

    Their degrees of freedom lie between `FEWEST` and `MOST`. Numbers of 0 are the standard
    t-distribution with 10 degrees of freedom; scales have a floor.
    """

    size = 3

    def forward(self, raw: Tensor, location: Tensor, scale: Tensor) -> StudentTPredictive:
        """Return predictions `(…)`, from numbers `(…, 3)`."""
        raw = precise(raw)
        freedom = FEWEST + (MOST - FEWEST) * torch.sigmoid(raw[..., 2] + _SHIFT)
        middle = location + scale * raw[..., 0]
        return StudentTPredictive(freedom, middle, scale * deviation(raw[..., 1]))


def _scores(freedom: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
    """Return the standard t-distribution's quantiles `(…, Q)`."""
    found: dict[float, NDArray[np.float64]] = {}
    columns = []
    for level in levels:
        # The distribution is symmetric, and its inverse is slow: each half is computed once.
        half = round(min(level, 1 - level), 12)
        if half not in found:
            found[half] = special.stdtrit(freedom, half)
        columns.append(found[half] if level <= 0.5 else -found[half])
    return np.stack(columns, axis=-1)
