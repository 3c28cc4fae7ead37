"""Regular steps: which row of a grid a date belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAY: Final = 86_400 * 10**9
"""Nanoseconds of a day."""

UNITS: Final = {
    "D": DAY,
    "h": 3_600 * 10**9,
    "min": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}
"""Nanoseconds of each unit that always takes as long."""


class Steps(Protocol):
    """The grid that dates lie on."""

    @property
    def alias(self) -> str | None:
        """The step as a pandas offset alias; None: steps have numbers, and no dates."""

    def positions(self, starts: NDArray[np.int64], dates: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many steps after its start each date is (R,); -1 if it is on no step.

        Args:
            starts: First date of the series of each date (R,).
            dates: The dates (R,), none before its start.
        """

    def advanced(self, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the dates (N,) that come some steps after others.

        Args:
            starts: Dates on steps (N,).
            counts: Steps (N,), up to the last date that the grid was made for.
        """


@dataclass(frozen=True)
class FixedSteps:
    """Steps that always take as long; each series has a grid of its own from its first date.

    Attributes:
        alias: See `Steps`.
        length: What a step is: nanoseconds, or numbers.
    """

    alias: str | None
    length: int

    def positions(self, starts: NDArray[np.int64], dates: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `Steps`."""
        count, rest = np.divmod(dates - starts, self.length)
        count[rest != 0] = -1
        return count

    def advanced(self, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `Steps`."""
        return starts + counts * self.length


@dataclass(frozen=True)
class CalendarSteps:
    """Steps of a calendar, such as months or business days, on one grid for all series.

    Attributes:
        alias: See `Steps`.
        grid: All dates of the grid (G,), in order.
    """

    alias: str | None
    grid: NDArray[np.int64]

    def positions(self, starts: NDArray[np.int64], dates: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `Steps`."""
        first, on_grid = self._find(starts)
        last, also = self._find(dates)
        return np.where(on_grid & also, last - first, -1)

    def advanced(self, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `Steps`."""
        dates: NDArray[np.int64] = self.grid[self._find(starts)[0] + counts]
        return dates

    def _find(self, dates: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        if not len(self.grid):
            return np.zeros(len(dates), np.int64), np.zeros(len(dates), bool)
        found = np.searchsorted(self.grid, dates)
        return found, self.grid[np.minimum(found, len(self.grid) - 1)] == dates


def steps_of_alias(alias: str, dates: NDArray[np.int64]) -> Steps:
    """Return the steps that an offset alias stands for.

    Args:
        alias: A pandas offset alias; "W" is the weekday of the first date.
        dates: What the grid must reach (R,).
    """
    if alias == "W":
        alias = f"W-{pd.Timestamp(int(dates[0])).day_name()[:3].upper()}"
    offset = pd.tseries.frequencies.to_offset(alias)
    if offset.rule_code in UNITS:
        return FixedSteps(offset.freqstr, offset.n * UNITS[offset.rule_code])
    first, last = pd.Timestamp(int(dates.min())), pd.Timestamp(int(dates.max()))
    grid = pd.date_range(first, last, freq=offset).as_unit("ns")
    return CalendarSteps(offset.freqstr, grid.to_numpy().view(np.int64))
