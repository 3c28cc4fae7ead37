"""The seasonal naive forecasts of many windows at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqforge_tasks.forecasting.baselines.seasonal_naive import seasonal_naive_rows

Integers = NDArray[np.int64]


def seasonal_naive_values(
    values: NDArray[np.float32],
    observed: NDArray[np.bool_] | None,
    begins: Integers,
    cuts: Integers,
    season: int,
    lead: int,
    horizon: int,
) -> NDArray[np.float32]:
    """Return the seasonal naive forecasts of windows `(B, H, K)`, as `seasonal_naive` of each.

    Args:
        values: Series, one after the other (R, K), 0 where a value is missing.
        observed: Where none is (R, K); None: everywhere.
        begins: First row of each window's series (B,).
        cuts: Steps of the series before the cut-off (B,).
        season: Steps of a season.
        lead: Steps from the end of the context to the first of the horizon.
        horizon: `H`.

    Returns:
        The forecasts; 0 where nothing is observed before the cut-off.
    """
    first = begins[:, None, None]
    rows = seasonal_naive_rows(cuts, horizon, season, lead)  # (B, H)
    places = first + rows[:, :, None]
    channels = np.arange(values.shape[1])
    if observed is None:
        found: NDArray[np.float32] = values[places, channels]
        return found
    period = np.where(cuts < season, 1, season)[:, None, None]
    places = _stepped_back(observed, places, first, period)
    last = _stepped_back(observed, first + cuts[:, None, None] - 1, first, np.ones_like(period))
    places = np.where(places < 0, last, places)
    return np.where(places < 0, np.float32(0), values[places, channels])


def _stepped_back(
    observed: NDArray[np.bool_], places: Integers, first: Integers, step: Integers
) -> Integers:
    """Return the nearest observed row on the way back (B, H, K), -1 where there is none."""
    channels = np.arange(observed.shape[1])
    places = np.broadcast_to(places, (*places.shape[:2], len(channels)))
    while (missing := (places >= 0) & ~observed[places, channels]).any():
        places = np.where(missing, places - step, places)
        places = np.where(places >= first, places, -1)
    return places
