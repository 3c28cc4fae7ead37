"""The scale of each series, from its training part alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqforge_tasks.forecasting.baselines.seasonal_naive import naive_error
from seqforge_tasks.forecasting.series.options import Scaling
from seqforge_tasks.forecasting.series.panel import Panel

Floats = NDArray[np.float64]
TINY = 1e-12
"""Deviations that are smaller, relative to the largest value, are those of a constant."""


class Scales(NamedTuple):
    """Scales of series or columns: `scaled = (value - location) / scale`.

    Attributes:
        location: `(N, K)`.
        scale: `(N, K)`, above 0; 1 of constants.
    """

    location: Floats
    scale: Floats


def scale_series(panel: Panel, ends: NDArray[np.int64], kind: Scaling) -> Scales:
    """Return the scale of each series; NaN where it has no value.

    Args:
        panel: The series.
        ends: Steps of each series that count (N,).
        kind: What 0 and 1 are to mean.
    """
    scales = [scale_columns(part, kind) for part in parts_of(panel, panel.values, ends)]
    channels = len(panel.channels)
    return Scales(
        np.array([each.location for each in scales]).reshape(-1, channels),
        np.array([each.scale for each in scales]).reshape(-1, channels),
    )


def scale_together(panel: Panel, columns: Floats, ends: NDArray[np.int64], kind: Scaling) -> Scales:
    """Return one scale of each column over all series `(1, C)`; 0 and 1 where it has no value.

    Args:
        panel: The series.
        columns: Columns of the panel (R, C).
        ends: Steps of each series that count (N,).
        kind: What 0 and 1 are to mean.
    """
    return without_gaps(_scale(lambda: parts_of(panel, columns, ends), columns.shape[1], kind))


def without_gaps(scales: Scales) -> Scales:
    """Return scales of columns `(C,)` as `(1, C)`, 0 and 1 where they are not known."""
    location, scale = scales
    unknown = np.isnan(location)
    return Scales(
        np.where(unknown, 0.0, location).reshape(1, -1),
        np.where(unknown, 1.0, scale).reshape(1, -1),
    )


def seasonal_error(panel: Panel, ends: NDArray[np.int64], season: int) -> Floats:
    """Return the mean absolute change of each series from season to season `(N, K)`.

    It is the error of the seasonal naive forecast on the training part, the denominator of MASE
    (Hyndman and Koehler 2006), in the units of the data; 0 where no two values are a season apart.

    Args:
        panel: The series.
        ends: Steps of each series that count (N,).
        season: Steps of a season.
    """
    errors = np.zeros((len(panel), len(panel.channels)))
    for place, part in enumerate(parts_of(panel, panel.values, ends)):
        errors[place] = naive_error(part, season)
    return errors


def parts_of(panel: Panel, columns: Floats, ends: NDArray[np.int64]) -> Iterator[Floats]:
    """Yield the first steps of each series.

    Args:
        panel: The series.
        columns: Columns of the panel (R, C).
        ends: How many steps of each (N,).
    """
    for first, count in zip(panel.offsets[:-1].tolist(), ends.tolist(), strict=True):
        yield columns[first : first + count]


def scale_columns(values: Floats, kind: Scaling) -> Scales:
    """Return the scale of each column (C,), NaN where it has no value.

    Args:
        values: `(R, C)`; NaN is missing.
        kind: What 0 and 1 are to mean.
    """
    return _scale(lambda: (values,), values.shape[1], kind)


def _scale(parts: Callable[[], Iterable[Floats]], width: int, kind: Scaling) -> Scales:
    """Return one scale of columns `(width,)` that come in parts, of which no joint copy is made."""
    counts, total, size, largest, squares = (np.zeros(width) for _ in range(5))
    if width:
        for part in parts():
            known = np.nan_to_num(part, nan=0.0)
            counts += (~np.isnan(part)).sum(axis=0)
            total += known.sum(axis=0)
            size += np.abs(known).sum(axis=0)
            np.maximum(largest, np.abs(known).max(axis=0, initial=0.0), out=largest)
    some = np.maximum(counts, 1)
    location, scale = np.zeros(width), np.ones(width)
    if kind == "mean_abs":
        scale = size / some
    elif kind == "standard":
        location = total / some
        for part in parts() if width else ():
            squares += np.square(np.nan_to_num(part - location, nan=0.0)).sum(axis=0)
        scale = np.sqrt(squares / some)
    scale = np.where(scale > TINY * largest, scale, 1.0)
    unknown = counts == 0
    return Scales(np.where(unknown, np.nan, location), np.where(unknown, np.nan, scale))
