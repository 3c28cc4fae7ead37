"""Central intervals of a prediction."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from seqforge_tasks.forecasting.heads.base import Predictive


def bounds(predictive: Predictive, levels: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Return the bounds of central intervals, `(…, N)` each.

    Args:
        predictive: What is predicted of `(…)` values.
        levels: `N` levels in percent: 80 goes from the quantile of 0.1 to that of 0.9.
    """
    tails = [(100 - level) / 200 for level in levels]
    # Quantiles are asked for in increasing order, each once.
    asked = sorted({*tails, *(1 - tail for tail in tails)})
    found = predictive.quantiles(asked)
    low = found[..., [asked.index(tail) for tail in tails]]
    high = found[..., [asked.index(1 - tail) for tail in tails]]
    return low, high
