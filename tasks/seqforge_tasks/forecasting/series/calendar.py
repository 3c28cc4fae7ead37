"""Features of the date: where in the day, the week or the year a step lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.errors import UserError, closest_match

Cycle = tuple[Callable[[pd.DatetimeIndex], "pd.Index[int]"], float]

CYCLES: dict[str, Cycle] = {
    "second": (lambda dates: dates.second, 60.0),
    "minute": (lambda dates: dates.minute, 60.0),
    "hour": (lambda dates: dates.hour, 24.0),
    "day_of_week": (lambda dates: dates.day_of_week, 7.0),
    "day_of_month": (lambda dates: dates.day - 1, 31.0),
    "day_of_year": (lambda dates: dates.day_of_year - 1, 366.0),
    "month": (lambda dates: dates.month - 1, 12.0),
    "quarter": (lambda dates: dates.quarter - 1, 4.0),
}
"""What can be told of a date, from 0, and how many steps its cycle has."""

_DAY = pd.Timedelta(days=1)
_SEASONS = {
    ("D",): 7,
    ("B", "C"): 5,
    ("W",): 52,
    ("MS", "ME", "BMS", "BME"): 12,
    ("QS", "QE", "BQS", "BQE"): 4,
}


def cycles_of(calendar: str | tuple[str, ...], frequency: str | None) -> tuple[str, ...]:
    """Return the names of the cycles that are asked for.

    Args:
        calendar: "none", "auto", or names of cycles.
        frequency: The step, as a pandas offset alias; None: there are no dates.

    Raises:
        UserError: There is no such cycle, or there are no dates.
    """
    if calendar == "none" or (calendar == "auto" and frequency is None):
        return ()
    if calendar == "auto":
        assert frequency is not None
        return _usual(frequency)
    names = (calendar,) if isinstance(calendar, str) else tuple(calendar)
    for name in names:
        if name not in CYCLES:
            raise UserError(
                f"there is no calendar feature '{name}'",
                where="data.calendar",
                accepted=("auto", "none", *CYCLES),
                closest=closest_match(name, CYCLES),
            )
    if names and frequency is None:
        raise UserError(
            "the series have no dates, hence no calendar",
            where="data.calendar",
            todo="give the column of the dates as data.date, or set data.calendar: none",
        )
    return names


def feature_names(cycles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the features of some cycles: a sine and a cosine of each."""
    return tuple(f"{name}_{wave}" for name in cycles for wave in ("sin", "cos"))


def season_of(frequency: str | None) -> int:
    """Return the usual season of a frequency, in steps; 1 where there is none.

    A day of steps shorter than a day, 7 days, 5 business days, 52 weeks, 12 months, 4 quarters.
    """
    if frequency is None:
        return 1
    rule, multiple, length = _step(frequency)
    if length is not None and length < _DAY:
        return 1 if _DAY % length else int(_DAY / length)
    if length == 7 * _DAY:
        return 52
    season = next((steps for rules, steps in _SEASONS.items() if rule in rules), 1)
    return 1 if season % multiple else season // multiple


@dataclass(frozen=True)
class Calendar:
    """Calendar features of many series, each kept once where series share their dates.

    Attributes:
        table: Features of all dates `(G, C)`, float32.
        first: Row of each series' first step in the table `(N,)`, int64.
    """

    table: NDArray[np.float32]
    first: NDArray[np.int64]


def calendar_of(
    cycles: tuple[str, ...],
    starts: NDArray[np.datetime64],
    lengths: NDArray[np.int64],
    frequency: str,
) -> Calendar:
    """Return the features of series' dates.

    Args:
        cycles: Names of the cycles.
        starts: Date of each series' first step (N,).
        lengths: Steps of each (N,), all that will ever be asked for.
        frequency: The step, as a pandas offset alias.
    """
    first = np.full(len(starts), -1, dtype=np.int64)
    tables, rows = [], 0
    # Series whose dates fall on one grid share it: mostly one is enough for all of them.
    while (left := np.flatnonzero(first < 0)).size:
        begin = starts[left].min()
        grid = pd.date_range(begin, starts[left].max(), freq=frequency)
        places = grid.get_indexer(pd.DatetimeIndex(starts[left]))
        places[starts[left] == begin] = 0  # also where it is not on the frequency's own grid
        on_grid = places >= 0
        first[left[on_grid]] = rows + places[on_grid]
        needed = int((places + lengths[left])[on_grid].max())
        table = _features(cycles, pd.date_range(begin, periods=needed, freq=frequency))
        tables.append(table)
        rows += len(table)
    return Calendar(np.concatenate(tables), first)


def _features(cycles: tuple[str, ...], dates: pd.DatetimeIndex) -> NDArray[np.float32]:
    columns = []
    for name in cycles:
        part, period = CYCLES[name]
        angle = 2 * np.pi * np.asarray(part(dates), dtype=np.float64) / period
        columns += [np.sin(angle), np.cos(angle)]
    return np.stack(columns, axis=1).astype(np.float32)


def _usual(frequency: str) -> tuple[str, ...]:
    rule, _, length = _step(frequency)
    if length is not None and length < _DAY:
        minutes = ("minute",) if length < pd.Timedelta(hours=1) else ()
        return (*minutes, "hour", "day_of_week", "day_of_year")
    if rule in ("D", "B", "C") and length != 7 * _DAY:
        return ("day_of_week", "day_of_month", "day_of_year")
    if rule in ("D", "W"):
        return ("day_of_year",)
    return () if rule in ("YS", "YE", "BYS", "BYE") else ("month",)


def _step(frequency: str) -> tuple[str, int, pd.Timedelta | None]:
    """Return the unit of a frequency, how many of it, and how long that is, if all are as long."""
    offset = pd.tseries.frequencies.to_offset(frequency)
    rule = offset.rule_code.partition("-")[0]
    try:
        return rule, abs(offset.n), pd.Timedelta(offset)  # type: ignore[arg-type]
    except ValueError:
        return rule, abs(offset.n), None
