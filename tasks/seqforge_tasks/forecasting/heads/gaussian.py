"""Normal distributions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.distributions import Normal

from seqforge_tasks.forecasting.heads.base import Head, Predictive
from seqforge_tasks.forecasting.heads.raw_numbers import (
    deviation,
    normal_draws,
    normal_scores,
    precise,
)


class GaussianPredictive(Predictive):
    """A normal distribution for each value.

    Args:
        mean: `(…)`.
        deviation: Standard deviations `(…)`, above 0.
    """

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        # The library's check of its arguments would wait for the device at every step.
        self.distribution = Normal(mean, deviation, validate_args=False)

    def loss(self, target: Tensor) -> Tensor:
        """Return the negative log-likelihood of each value `(…)`, in nats."""
        likelihood: Tensor = self.distribution.log_prob(target)
        return -likelihood

    def point(self) -> Tensor:
        """Return the mean, which is the median too `(…)`."""
        return self.distribution.mean

    def quantiles(self, levels: Sequence[float]) -> Tensor:
        """Return quantiles `(…, Q)`."""
        mean, scale = self.distribution.loc, self.distribution.scale
        return mean.unsqueeze(-1) + scale.unsqueeze(-1) * normal_scores(levels, mean)

    def sample(self, uniform: Tensor) -> Tensor:
        """Return one value each `(…)`, drawn by random numbers `(2, …)` from 0 to 1."""
        mean, scale = self.distribution.loc, self.distribution.scale
        return mean + scale * normal_draws(uniform, mean)


class GaussianHead(Head):
    """Predicts normal distributions, trained by likelihood, as DeepAR does (Salinas et al. 2017).

    Numbers of 0 are the standard normal distribution; deviations have a floor, so that no
    likelihood is infinite.
    """

    size = 2

    def forward(self, raw: Tensor, location: Tensor, scale: Tensor) -> GaussianPredictive:
        """Return predictions `(…)`, from numbers `(…, 2)`."""
        raw = precise(raw)
        mean = location + scale * raw[..., 0]
        return GaussianPredictive(mean, scale * deviation(raw[..., 1]))
