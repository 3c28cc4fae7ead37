"""Naive2, the reference of the M4 competition."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

CRITICAL: Final = 1.645
"""Quantile of the normal distribution for a two-sided test at 90 %."""


def naive2(history: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
    """Return M4's Naive2: the last value, of the seasonally adjusted series where it is seasonal.

    As the organisers define it (Makridakis et al. 2020, and their published R code): a test of the
    autocorrelation at 90 %, classical multiplicative decomposition by centred moving averages, the
    naive forecast of the adjusted series, and the seasonal indices put back. A series whose indices
    are not all finite and above 0 is not adjusted.

    Args:
        history: `(T,)`, at least one value; missing ones (NaN) are filled by straight lines.
        horizon: `H`.
        season: Steps of a season; 1 for none.

    Returns:
        `(H,)`; NaN where the history has no value.
    """
    values = _filled(history)
    if not len(values):
        return np.full(horizon, np.nan)
    indices = np.ones(season)
    if season > 1 and is_seasonal(values, season):
        found = seasonal_indices(values, season)
        indices = found if (np.isfinite(found) & (found > 0)).all() else indices
    phase = np.arange(len(values), len(values) + horizon) % season  # (H,)
    last = values[-1] / indices[(len(values) - 1) % season]
    return np.asarray(last * indices[phase], dtype=np.float64)


def is_seasonal(values: NDArray[np.float64], season: int) -> bool:
    """Return whether the autocorrelation one season back differs from 0, tested at 90 %.

    The limit allows for the autocorrelations before it (Bartlett's formula). Series of less than
    three seasons are not seasonal, nor those whose season is above `10 log10 T`, up to which the
    organisers' software computes autocorrelations.

    Args:
        values: `(T,)`, finite.
        season: Steps of a season.
    """
    steps = len(values)
    if steps < 3 * season or season > math.floor(10 * math.log10(steps)):
        return False
    centred = values - values.mean()
    power = float(centred @ centred)
    if power <= 0:
        return False
    correlations = np.array(
        [float(centred[lag:] @ centred[:-lag]) / power for lag in range(1, season + 1)]
    )
    limit = CRITICAL * math.sqrt((1 + 2 * float(np.sum(correlations[:-1] ** 2))) / steps)
    return bool(abs(correlations[-1]) > limit)


def seasonal_indices(values: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """Return the factors of classical multiplicative decomposition, with a mean of 1.

    Args:
        values: `(T,)`, finite, at least two seasons.
        season: Steps of a season, at least 2.

    Returns:
        `(season,)`, beginning with the factor of the first step; infinite or NaN where the trend
        is 0.
    """
    weights = np.full(season, 1 / season)
    if season % 2 == 0:
        weights = np.concatenate(([0.5], np.ones(season - 1), [0.5])) / season
    trend = np.convolve(values, weights, mode="valid")
    before = len(weights) // 2
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = values[before : before + len(trend)] / trend
        phase = np.arange(before, before + len(trend)) % season
        means = np.bincount(phase, ratios, season) / np.bincount(phase, minlength=season)
        return np.asarray(means / means.mean(), dtype=np.float64)


def _filled(history: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values from the first known one on, missing ones on lines between the known."""
    known = np.flatnonzero(~np.isnan(history))
    if not len(known):
        return history[:0]
    places = np.arange(known[0], len(history))
    return np.asarray(np.interp(places, known, history[known]), dtype=np.float64)
