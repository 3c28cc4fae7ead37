"""Dates as they are written in tables."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading.date_texts import DateTexts, parse_texts
from seqforge_tasks.forecasting.series.reading.places import Places

YEARS: Final = (1678, 2261)
"""Years that nanoseconds can tell, whole ones."""

_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_LIKE_A_DATE = re.compile(
    rf"\s*(\d{{1,4}}[-/.]\d{{1,2}}\b|\d{{8}}(T|$)|\d{{4}}-?Q\d|\d{{1,4}}[-\s.]({_MONTH})|({_MONTH}))",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\s*-?\d+(\.0)?\s*")


@dataclass(frozen=True)
class Dates:
    """When the rows of a table were.

    Attributes:
        values: Nanoseconds since 1970, or numbers of steps (R,), int64.
        calendar: Whether they are nanoseconds.
        timezone: The zone that they were converted from, if they are those of UTC now.
        notes: How they were read, if this is not obvious.
    """

    values: NDArray[np.int64]
    calendar: bool
    timezone: str | None = None
    notes: tuple[str, ...] = ()


def look_like_dates(column: pd.Series, whole_numbers: bool = False) -> bool:
    """Return whether most cells of a column look like dates.

    Args:
        column: The cells.
        whole_numbers: Whether whole numbers do.
    """
    if types.is_datetime64_any_dtype(column) or isinstance(column.dtype, pd.PeriodDtype):
        return True
    cells = column.dropna()
    if cells.empty:
        return False
    if types.is_numeric_dtype(cells):
        return whole_numbers and bool((cells.astype(float) % 1 == 0).all())
    texts = cells.astype(str)
    fits = texts.map(lambda text: bool(_LIKE_A_DATE.match(text))).astype(bool)
    if whole_numbers:
        fits |= texts.map(lambda text: bool(_WHOLE.fullmatch(text))).astype(bool)
    return bool(fits.mean() >= 0.5)


def read_dates(
    column: pd.Series, codes: NDArray[np.integer[Any]] | None, layout: Layout, places: Places
) -> Dates:
    """Read the dates of a table's rows.

    Whole numbers are years in a column of that name, and steps in others. Dates with an offset
    from UTC, and those of a `timezone`, are converted to UTC, so that days with a changed clock
    have 24 hours; but if all of them are at the same time of day, as daily, weekly and monthly
    ones are, the day that is written counts.

    Args:
        column: The cells (R,).
        codes: Number of each row's series (R,); None: there is one.
        layout: `date_format` and `timezone` count.
        places: What rows are called.

    Raises:
        UserError: A cell is no date, or it does not exist in its time zone.
    """
    missing = column.isna().to_numpy()
    if missing.any():
        raise UserError(
            f"there is no date in the column '{column.name}'",
            where=places.at(int(missing.argmax())),
            todo="give each row a date, or leave the row out",
        )
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        wall = _nanoseconds(column.dt.tz_localize(None), places)
        moments = _nanoseconds(column.dt.tz_convert("UTC").dt.tz_localize(None), places)
        return _settled(wall, moments, str(column.dtype.tz))
    if types.is_datetime64_dtype(column):
        return _localised(Dates(_nanoseconds(column, places), True), codes, layout, places)
    if layout.date_format is None and types.is_numeric_dtype(column):
        return _whole_numbers(column, places)
    cells = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    if layout.date_format is None and _all_whole(cells.cat.categories):
        return _whole_numbers(cells.astype(str).astype(float).rename(str(column.name)), places)
    texts = parse_texts(pd.Index(cells.cat.categories.astype(str)), layout.date_format)
    return _localised(_of_texts(cells, texts, places), codes, layout, places)


def written_dates(dates: pd.DatetimeIndex, layout: Layout) -> pd.DatetimeIndex:
    """Return dates of a panel as they would stand in its source.

    Args:
        dates: As `Panel.starts` counts them.
        layout: That of the `Reading`.

    Returns:
        The same moments in the source's time zone, if they had been converted to UTC.
    """
    if layout.timezone is None:
        return dates
    return dates.tz_localize("UTC").tz_convert(layout.timezone)


def _all_whole(categories: pd.Index) -> bool:
    short = all(len(str(text).strip()) != 8 for text in categories[:100])
    return short and all(_WHOLE.fullmatch(str(text)) for text in categories)


def _whole_numbers(column: pd.Series, places: Places) -> Dates:
    numbers = column.to_numpy(np.float64)
    wrong = (numbers % 1 != 0) | (np.abs(numbers) > 2**53)
    if wrong.any():
        row = int(wrong.argmax())
        raise UserError(
            f"{numbers[row]:g} in the column '{column.name}' is neither a date nor a whole number",
            where=places.at(row),
            todo="give dates such as 2024-01-31, or count the steps",
        )
    steps = numbers.astype(np.int64)
    if str(column.name).casefold() != "year":
        return Dates(steps, calendar=False)
    outside = (steps < YEARS[0]) | (steps > YEARS[1])
    if outside.any():
        row = int(outside.argmax())
        raise UserError(
            f"the year {steps[row]} is outside {YEARS[0]} to {YEARS[1]}",
            where=places.at(row),
            todo="leave the row out, or name the column otherwise: whole numbers are steps then",
        )
    years = (steps - 1970).astype("datetime64[Y]").astype("datetime64[ns]")
    return Dates(years.astype(np.int64), calendar=True)


def _nanoseconds(column: pd.Series, places: Places) -> NDArray[np.int64]:
    values = column.to_numpy()
    bounds = [np.datetime64(f"{year}-01-01") for year in (YEARS[0], YEARS[1] + 1)]
    outside = (values < bounds[0]) | (values >= bounds[1])
    if outside.any():
        row = int(outside.argmax())
        raise UserError(
            f"{values[row]} is outside the years {YEARS[0]} to {YEARS[1]}",
            where=places.at(row),
            todo="leave the row out, or count the steps in whole numbers",
        )
    return values.astype("datetime64[ns]", copy=False).view(np.int64)


def _of_texts(cells: pd.Series, texts: DateTexts, places: Places) -> Dates:
    codes = cells.cat.codes.to_numpy()
    if texts.wrong.any():
        wrong = texts.wrong[codes]
        row = int(wrong.argmax())
        raise UserError(
            f"'{cells.iloc[row]}' in the column '{cells.name}' is {texts.problem}",
            where=places.at(row),
            todo="write all dates alike, best as 2024-01-31 13:00:00, or set data.date_format",
        )
    if texts.moments is None:
        return Dates(texts.wall[codes], calendar=True, notes=texts.notes)
    settled = _settled(texts.wall[codes], texts.moments[codes], "UTC")
    return replace(settled, notes=(*texts.notes, *settled.notes))


def _settled(wall: NDArray[np.int64], moments: NDArray[np.int64], timezone: str) -> Dates:
    if _same_time_of_day(wall):
        return Dates(wall, calendar=True)
    note = "dates are converted to UTC"
    notes = () if timezone == "UTC" and np.array_equal(wall, moments) else (note,)
    return Dates(moments, calendar=True, timezone=timezone, notes=notes)


def _same_time_of_day(wall: NDArray[np.int64]) -> bool:
    day = 86_400 * 10**9
    return bool((wall % day == wall[:1] % day).all()) and bool((wall != wall[:1]).any())


def _localised(
    dates: Dates, codes: NDArray[np.integer[Any]] | None, layout: Layout, places: Places
) -> Dates:
    """Convert dates that name no zone to UTC, if the layout names one."""
    if layout.timezone is None or dates.timezone is not None or _same_time_of_day(dates.values):
        return dates
    index = pd.DatetimeIndex(dates.values.view("datetime64[ns]"))
    # Where the clock is put back an hour comes twice: the first of both is that of summer.
    table = pd.DataFrame({"series": 0 if codes is None else codes, "date": index})
    reversed_order = bool(len(index) > 1 and index[0] > index[-1])
    first = ~table.duplicated(keep="last" if reversed_order else "first").to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zoned = index.tz_localize(layout.timezone, ambiguous=first, nonexistent="NaT")
    moments = zoned.tz_convert("UTC").tz_localize(None).as_unit("ns")
    missing = moments.isna()
    if missing.any():
        row = int(missing.argmax())
        raise UserError(
            f"{index[row]} does not exist in {layout.timezone}: the clock is put forward then",
            where=places.at(row),
            todo="leave data.timezone out, or name the zone in which the dates are written",
        )
    values = moments.to_numpy().view(np.int64)
    return Dates(values, True, layout.timezone, (*dates.notes, "dates are converted to UTC"))
