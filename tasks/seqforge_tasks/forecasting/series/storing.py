"""Columns of many series as the arrays that windows are cut from."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seqforge_tasks.forecasting.series.scaling import Floats, Scales

Kind = TypeVar("Kind", bound=np.generic)

ROWS = 2**18
"""Rows that are scaled at a time, so that no second array in float64 is ever made."""


def stored(
    columns: Floats, scales: Scales, offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Return scaled columns, 0 where they are missing, and where they are not.

    Args:
        columns: Columns of series, one after the other (R, C); NaN is missing.
        scales: Of each series, `(N, C)`; or `(1, C)`, of all of them.
        offsets: First row of each series, and the end (N + 1,).

    Returns:
        Scaled columns `(R, C)`, and where there is a value `(R, C)`; None: everywhere.
    """
    scaled = np.empty(columns.shape, dtype=np.float32)
    observed = np.empty(columns.shape, dtype=np.bool_)
    lengths = np.diff(offsets)
    together = len(scales.location) == 1
    for first in range(0, len(columns), ROWS):
        part = columns[first : first + ROWS]
        rows = np.arange(first, first + len(part))
        series = 0 if together else np.searchsorted(offsets, rows, side="right") - 1
        observed[first : first + ROWS] = ~np.isnan(part)
        part = (part - scales.location[series]) / scales.scale[series]
        scaled[first : first + ROWS] = np.nan_to_num(part, nan=0.0)
    assert lengths.sum() == len(columns)
    return scaled, None if observed.all() else observed


def blocks(rows: NDArray[Kind], firsts: NDArray[np.int64], width: int) -> NDArray[Kind]:
    """Return consecutive rows from each of some first ones `(B, width, C)`.

    Behind the end the last row is repeated.

    Args:
        rows: `(R, C)`, contiguous.
        firsts: First row of each block (B,), from 0 to R.
        width: Rows of a block.
    """
    if not rows.shape[1]:
        return np.empty((len(firsts), width, 0), dtype=rows.dtype)
    if len(firsts) and int(firsts.max()) + width > len(rows):
        places = firsts[:, None] + np.arange(width)
        repeated: NDArray[Kind] = rows[np.minimum(places, len(rows) - 1)]
        return repeated
    # Overlapping views are copied block by block, several times faster than row by row.
    view = np.lib.stride_tricks.as_strided(
        rows,
        (max(len(rows) - width + 1, 0), width, rows.shape[1]),
        (rows.strides[0], *rows.strides),
        writeable=False,
    )
    found: NDArray[Kind] = view[firsts]
    return found
