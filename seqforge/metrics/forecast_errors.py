"""The errors of single forecast values, from which the measures of forecasts are made."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def pinball(target: Tensor, quantiles: Tensor, levels: Sequence[float]) -> Tensor:
    """Return the pinball loss of each quantile, the score that a true quantile makes smallest.

    `level * (y - q)` where the target lies above the quantile, `(1 - level) * (q - y)` below it
    (Koenker and Bassett 1978). Twice its mean over evenly spread levels comes near the continuous
    ranked probability score; for a point, whose quantiles are all equal, it is the absolute error.

    Args:
        target: `(…)`.
        quantiles: `(…, Q)`.
        levels: `Q` probabilities between 0 and 1.

    Returns:
        `(…, Q)`, in the units of the target.
    """
    level = torch.tensor(levels, dtype=quantiles.dtype, device=quantiles.device)  # (Q,)
    error = target.unsqueeze(-1) - quantiles
    return torch.maximum(level * error, (level - 1) * error)


def symmetric_percentage_error(forecast: Tensor, target: Tensor) -> Tensor:
    """Return sMAPE's term for each value as M4 defines it: `200 |y - f| / (|y| + |f|)`.

    Args:
        forecast: `(…)`, in the units of the data: the term depends on where 0 is.
        target: `(…)`.

    Returns:
        `(…)`, from 0 to 200; 0 where both are 0.
    """
    size = forecast.abs() + target.abs()
    error = (forecast - target).abs()
    return torch.where(size > 0, 200 * error / torch.where(size > 0, size, 1), 0)


def overall_weighted_average(
    smape: float, mase: float, reference_smape: float, reference_mase: float
) -> float:
    """Return M4's OWA: the mean of sMAPE and MASE, each over that of the reference, Naive2.

    Args:
        smape: Of the forecasts.
        mase: Of the forecasts.
        reference_smape: Of Naive2 on the same targets, above 0.
        reference_mase: Of Naive2 on the same targets, above 0.
    """
    return (smape / reference_smape + mase / reference_mase) / 2
