"""The seasonal naive forecast: what was one season before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def seasonal_naive_rows(
    cuts: NDArray[np.int64], horizon: int, season: int, lead: int = 1
) -> NDArray[np.int64]:
    """Return which row of a series is the seasonal naive forecast of each step.

    Args:
        cuts: Rows before each cut-off `(B,)`, at least 1.
        horizon: `H`.
        season: Rows of a season; 1 for none: then the last value is the forecast, as it is where a
            series is shorter than a season.
        lead: Rows from the last one before the cut-off to the first of the horizon.

    Returns:
        Row numbers, counted from the series' first row `(B, H)`.
    """
    period = np.where(cuts < season, 1, season)[:, None]  # (B, 1)
    ahead = np.arange(lead - 1, lead - 1 + horizon)  # (H,)
    return (cuts[:, None] - period + ahead % period).astype(np.int64)


def seasonal_naive(
    history: NDArray[np.float64], horizon: int, season: int, lead: int = 1
) -> NDArray[np.float64]:
    """Return the seasonal naive forecast of one series.

    Args:
        history: `(T, K)`; NaN is missing.
        horizon: `H`.
        season: Rows of a season; 1 for none.
        lead: Rows from the last one of the history to the first of the horizon.

    Returns:
        `(H, K)`. Where a value is missing, that of the season before; where it is missing in all
        of them, the last known value; NaN where a channel has none.
    """
    rows = len(history)
    forecast = np.full((horizon, history.shape[1]), np.nan)
    if not rows:
        return forecast
    first = seasonal_naive_rows(np.array([rows]), horizon, season, lead)[0]
    period = season if rows >= season else 1
    for step, row in enumerate(first):
        same = history[row % period : row + 1 : period][::-1]  # (S, K), newest first
        forecast[step] = _first_known(same)
    return np.where(np.isnan(forecast), _first_known(history[::-1]), forecast)


def naive_error(history: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """Return the mean absolute error of the seasonal naive forecast within a series, one ahead.

    The denominator of MASE (Hyndman and Koehler 2006), `mean |y[t] - y[t - season]|`.

    Args:
        history: The training part `(T, K)`; NaN is missing, and left out.
        season: Rows of a season; 1 for none.

    Returns:
        `(K,)`; 0 where no difference is known.
    """
    errors = np.abs(history[season:] - history[:-season])
    known = ~np.isnan(errors)
    total = np.where(known, errors, 0).sum(axis=0)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1), dtype=np.float64)


def _first_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first value of each column that is not missing; NaN where all are."""
    place = (~np.isnan(values)).argmax(axis=0)  # 0 where none is known: a NaN
    first: NDArray[np.float64] = np.take_along_axis(values, place[None], axis=0)[0]
    return first
