"""Rows series by series, in the order of their dates, each date once, on a grid without holes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Duplicates
from seqforge_tasks.forecasting.series.reading.places import Places
from seqforge_tasks.forecasting.series.reading.steps import Steps

BLOCK: Final = 1 << 19
"""Rows that are looked at together: memory does not grow with the rows of a table."""

HOLES: Final = 10
"""How many times more rows a grid may have than were given; beyond it, a date must be wrong."""


@dataclass(frozen=True)
class Ordered:
    """Rows of series, one series after the other.

    Attributes:
        names: Name of each series (N,).
        offsets: First row of each series, and the end (N + 1,), int64.
        cells: The columns of numbers (M, R), float64.
        dates: Nanoseconds or numbers of steps (R,), int64; None: there are none.
        calendar: Whether dates are nanoseconds.
        rows: Which row of those read each one is (R,), -1 where it was left out; None: they are in
            that order.
        places: What rows read are called.
    """

    names: list[str]
    offsets: NDArray[np.int64]
    cells: NDArray[np.float64]
    dates: NDArray[np.int64] | None
    calendar: bool
    rows: NDArray[np.int64] | None
    places: Places

    def follows(self) -> NDArray[np.bool_]:
        """Return whether the next row is of the same series (R - 1,)."""
        same = np.ones(max(int(self.offsets[-1]) - 1, 0), bool)
        same[self.offsets[1:-1] - 1] = False
        return same

    def series(self, rows: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """Return the series that rows belong to, by their numbers here."""
        return np.asarray(np.searchsorted(self.offsets, rows, side="right") - 1)

    def where(self, row: int) -> str:
        """Return the source and the row in it, for an error's `where`."""
        number = row if self.rows is None else int(self.rows[row])
        return self.places.at(number) if number >= 0 else f"{self.places.source}, a missing row"

    def name(self, row: int) -> str:
        """Return the series of a row, as messages name it."""
        return f"the series '{self.names[int(self.series(row))]}'"

    def date(self, row: int) -> str:
        """Return the date of a row, as messages write it; "" without dates."""
        if self.dates is None:
            return ""
        value = int(self.dates[row])
        return str(pd.Timestamp(value)) if self.calendar else f"step {value}"

    def chosen(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Ordered:
        """Return some of the rows, in the order of their numbers."""
        numbers: NDArray[np.int64] = (
            np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64, copy=False)
        )
        counts = np.bincount(self.series(numbers), minlength=len(self.names))
        before = np.arange(self.offsets[-1]) if self.rows is None else self.rows
        return replace(
            self,
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            cells=np.take(self.cells, numbers, axis=1),
            dates=None if self.dates is None else self.dates[numbers],
            rows=before[numbers],
        )


def single_dates(table: Ordered, duplicates: Duplicates) -> tuple[Ordered, tuple[str, ...]]:
    """Make one row of those with the same date.

    Args:
        table: In the order of dates.
        duplicates: Which row counts, or that there must be none.

    Returns:
        The table, and a note if there were any.

    Raises:
        UserError: There are some, and they are refused.
    """
    if table.dates is None:
        return table, ()
    again = table.follows() & (table.dates[1:] == table.dates[:-1])
    if not again.any():
        return table, ()
    row = int(again.argmax())
    if duplicates == "refuse":
        todo = "set data.duplicates to first, last or mean, or remove one of the rows"
        if table.calendar:
            todo += "; where a clock was put back, set data.timezone"
        first = table.where(row)
        raise UserError(
            f"{table.name(row)} has {table.date(row)} twice",
            where=f"{first} and {table.where(row + 1).rpartition(', ')[2]}",
            todo=todo,
        )
    note = f"rows with a date that came before: {int(again.sum()):,}; the {duplicates} counts"
    if duplicates == "last":
        return table.chosen(np.append(~again, True)), (note,)
    first_rows = np.append(True, ~again)
    once = table.chosen(first_rows)
    if duplicates == "mean":
        once = replace(once, cells=_means(table.cells, np.flatnonzero(first_rows)))
    return once, (note,)


def _means(cells: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    known = ~np.isnan(cells)
    totals = np.add.reduceat(np.where(known, cells, 0.0), starts, axis=1)
    counts = np.add.reduceat(known.astype(np.float64), starts, axis=1)
    return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)


def on_grid(table: Ordered, steps: Steps) -> tuple[Ordered, tuple[str, ...]]:
    """Put in a row of missing values for each step that is left out.

    Args:
        table: In the order of dates, each of them once.
        steps: The grid.

    Returns:
        The table, its new rows with the number -1, and a note if there are any.

    Raises:
        UserError: A date is on no step of the grid, or steps are missing almost everywhere.
    """
    if table.dates is None:
        return table, ()
    last = np.zeros(len(table.names), np.int64)
    for rows, positions in _positions(table, steps):
        series = table.series(rows)
        off = positions < 0
        if off.any():
            raise _off_grid(table, int(rows[int(off.argmax())]), steps)
        last[series] = positions  # the last row of a series is written last
    counts = last + 1
    given = np.diff(table.offsets)
    if np.array_equal(counts, given):
        return table, ()
    _require_few_holes(table, counts, given, steps)
    return _filled(table, steps, counts)


def _filled(
    table: Ordered, steps: Steps, counts: NDArray[np.int64]
) -> tuple[Ordered, tuple[str, ...]]:
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    cells = np.full((len(table.cells), int(offsets[-1])), np.nan)
    origins = np.full(int(offsets[-1]), -1, np.int64)
    for rows, positions in _positions(table, steps):
        places = offsets[table.series(rows)] + positions
        cells[:, places] = table.cells[:, rows[0] : rows[-1] + 1]
        origins[places] = rows if table.rows is None else table.rows[rows]
    starts = table.dates[table.offsets[:-1]] if table.dates is not None else None
    filled = replace(table, offsets=offsets, cells=cells, rows=origins, dates=None)
    new = int((origins < 0).sum())
    series = int((counts > np.diff(table.offsets)).sum())
    first = int((origins < 0).argmax())
    when = ""
    if starts is not None:
        owner = filled.series(np.array([first]))
        moment = int(steps.advanced(starts[owner], first - offsets[owner])[0])
        when = str(pd.Timestamp(moment)) if table.calendar else f"step {moment}"
    note = f"steps that are left out are missing values: {new:,} in {series:,} series, first {when}"
    return filled, (note,)


def _positions(
    table: Ordered, steps: Steps
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the rows of a block, and how many steps after their series' start they are."""
    dates = table.dates
    if dates is None:
        return
    starts = dates[table.offsets[:-1]]
    for first in range(0, len(dates), BLOCK):
        rows = np.arange(first, min(first + BLOCK, len(dates)))
        yield rows, steps.positions(starts[table.series(rows)], dates[rows[0] : rows[-1] + 1])


def _off_grid(table: Ordered, row: int, steps: Steps) -> UserError:
    start = int(table.offsets[int(table.series(row))])
    if steps.alias is None:
        todo = "give steps that are equally far apart"
    else:
        todo = "resample the series to regular steps, or set data.frequency to a step that fits"
    word = f"of '{steps.alias}'" if steps.alias else "of the common one"
    return UserError(
        f"{table.name(row)} has {table.date(row)}, which is no step {word} after its first, "
        f"{table.date(start)}",
        where=table.where(row),
        todo=todo,
    )


def _require_few_holes(
    table: Ordered, counts: NDArray[np.int64], given: NDArray[np.int64], steps: Steps
) -> None:
    much = counts > HOLES * given + 1000
    if not much.any() or table.dates is None:
        return
    series = int(much.argmax())
    first, end = int(table.offsets[series]), int(table.offsets[series + 1])
    row = first + 1 + int(np.diff(table.dates[first:end]).argmax())
    raise UserError(
        f"the series '{table.names[series]}' leaves out most of its {counts[series]:,} steps of "
        f"{steps.alias or 'one'}: after {table.date(row - 1)} comes {table.date(row)}",
        where=table.where(row),
        todo="correct the date if it is a mistake, or set data.frequency to a longer step",
    )
