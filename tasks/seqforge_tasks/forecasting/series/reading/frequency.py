"""Finding out the step of series from their dates."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.reading.steps import (
    DAY,
    UNITS,
    FixedSteps,
    Steps,
    steps_of_alias,
)

ROWS: Final = 1 << 20
"""Rows whose steps are counted; all others must lie on the same grid."""

SHARE: Final = 0.5
"""How much of all steps the most common one must be."""

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


class Inferred(NamedTuple):
    """What was found out.

    Attributes:
        steps: The steps.
        dates: The dates (R,), maybe moved to the start of their month.
        notes: Says so.
    """

    steps: Steps
    dates: NDArray[np.int64]
    notes: tuple[str, ...] = ()


def infer_steps(
    dates: NDArray[np.int64], follows: NDArray[np.bool_], calendar: bool, source: str
) -> Inferred:
    """Find the most common step; it must be at least half of all.

    Dates on one day of the month are months: if it is neither the first nor the last one, they are
    moved to the first. Days from Monday to Friday alone are business days.

    Args:
        dates: In order for each series (R,), none twice.
        follows: Whether the next row is of the same series (R - 1,).
        calendar: Whether they are nanoseconds; else they are numbers of steps.
        source: What the dates are read from, for messages.

    Raises:
        UserError: No series has two dates, or there is no common step.
    """
    some = dates[:ROWS]
    gaps = np.diff(some)[follows[: len(some) - 1]]
    if not calendar:
        return Inferred(FixedSteps(None, _common(gaps, source) if len(gaps) else 1), dates)
    if not len(gaps):
        raise UserError(
            "the step between dates cannot be found out: no series has two of them",
            where=source,
            todo="set data.frequency, for instance to h, D or MS",
        )
    months = _months(some, follows[: len(some) - 1], source) if gaps.min() >= 28 * DAY else None
    if months is not None:
        return _of_months(months, dates)
    weekdays = (some // DAY + 3) % 7
    if _are_business_days(gaps, weekdays):
        return Inferred(steps_of_alias("B", dates), dates)
    length = _common(gaps, source)
    if length % (7 * DAY) == 0 and (weekdays == weekdays[0]).all():
        weeks = length // (7 * DAY)
        alias = f"{_times(weeks)}W-{_WEEKDAYS[weekdays[0]]}"
        return Inferred(FixedSteps(alias, length), dates)
    unit = next(unit for unit, size in UNITS.items() if length % size == 0)
    return Inferred(FixedSteps(_times(length // UNITS[unit]) + unit, length), dates)


def _times(count: int) -> str:
    return "" if count == 1 else str(count)


def _common(gaps: NDArray[np.int64], source: str) -> int:
    values, counts = np.unique(gaps, return_counts=True)
    most = int(counts.argmax())
    if counts[most] < SHARE * counts.sum():
        raise UserError(
            f"the steps between dates are irregular: the most common one is "
            f"{counts[most] / counts.sum():.0%} of them",
            where=source,
            todo="resample the series to regular steps, or set data.frequency if it fits",
        )
    return int(values[most])


def _are_business_days(gaps: NDArray[np.int64], weekdays: NDArray[np.int64]) -> bool:
    over_weekends = (gaps == 3 * DAY).any() and (gaps % DAY == 0).all()
    return bool(over_weekends and (gaps == DAY).any() and (weekdays < 5).all())


class _Months(NamedTuple):
    step: int
    first: int
    where: str  # "start", "end" or "between"


def _months(some: NDArray[np.int64], follows: NDArray[np.bool_], source: str) -> _Months | None:
    """Return the step in months, if dates lie on one day of the month; else None."""
    index = pd.DatetimeIndex(some.view("datetime64[ns]"))
    days = index.day.to_numpy()
    same_time = (some % DAY == some[0] % DAY).all()
    ends = bool(index.is_month_end.all())
    if not same_time or not (ends or (days == days[0]).all()):
        return None
    numbers = index.year.to_numpy() * 12 + index.month.to_numpy() - 1
    step = _common(np.diff(numbers.astype(np.int64))[follows], source)
    where = "end" if ends else "start" if days[0] == 1 else "between"
    return _Months(step, int(numbers[0]) % 12, where)


def _of_months(months: _Months, dates: NDArray[np.int64]) -> Inferred:
    notes: tuple[str, ...] = ()
    if months.where == "between":
        day = pd.Timestamp(int(dates[0])).day
        index = pd.DatetimeIndex(dates.view("datetime64[ns]"))
        time = dates % DAY
        starts = index.to_numpy().astype("datetime64[M]").astype("datetime64[ns]")
        dates = starts.view(np.int64) + time
        notes = (f"dates on day {day} of a month stand for the month: they are moved to its start",)
    sign = "E" if months.where == "end" else "S"
    step = months.step
    if step % 12 == 0:
        alias = f"{_times(step // 12)}Y{sign}-{_MONTHS[months.first]}"
    elif step == 3:
        # The first anchor of a year for starts, the last one for ends, as pandas names them.
        anchor = months.first % 3 + (9 if sign == "E" else 0)
        alias = f"Q{sign}-{_MONTHS[anchor]}"
    else:
        alias = f"{_times(step)}M{sign}"
    return Inferred(steps_of_alias(alias, dates), dates, notes)
