"""Forecasts as tables, in the form in which their series came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.task import Table
from seqforge_tasks.forecasting.pictures import level_name
from seqforge_tasks.forecasting.series.layout import Layout

STEP = "step"
"""The column of step numbers, where series have no dates; the first step is 1."""

NAMELESS = "0"
"""The first column of a file without a header."""

DIGITS = 7
"""Significant digits that are written: those of float32, in which the network computes."""


@dataclass(frozen=True)
class SeriesForecast:
    """What comes behind the end of one series, in the units of the data.

    Attributes:
        name: The series.
        channels: Names of its channels (K,).
        times: Date of each step, or its number, counted from 1.
        point: The forecast (H, K).
        low: Lower ends of intervals (H, K, N).
        high: Upper ends of intervals (H, K, N).
        levels: Levels of the intervals in percent (N,).
        past_times: Dates, or numbers, of the last steps before (L,).
        past: What was measured there (L, K), NaN where nothing was.
    """

    name: str
    channels: Sequence[str]
    times: pd.DatetimeIndex | range
    point: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    levels: Sequence[float]
    past_times: pd.DatetimeIndex | range
    past: NDArray[np.float64]

    def columns(self, channel: int, name: str, prefix: str) -> dict[str, NDArray[np.float64]]:
        """Return a channel's forecast and intervals by the names of their columns.

        Args:
            channel: Its number.
            name: Of the forecast's column.
            prefix: Before `lo-80` and `hi-80`.
        """
        columns = {name: self.point[:, channel]}
        for place, level in enumerate(self.levels):
            columns[f"{prefix}lo-{level_name(level)}"] = self.low[:, channel, place]
            columns[f"{prefix}hi-{level_name(level)}"] = self.high[:, channel, place]
        return columns


def as_frame(forecasts: Sequence[SeriesForecast], layout: Layout) -> pd.DataFrame:
    """Return forecasts as a frame: wide if their series came so, or in arrays, long otherwise.

    A wide one has a row each step and, for each series, columns `NAME`, `NAME-lo-80`, `NAME-hi-80`
    and so on; where series end at different steps, cells are left empty. A long one has a row
    each step of each series, with columns `forecast`, `lo-80`, `hi-80` and so on, or those of a
    wide one for each channel if there are several.

    Args:
        forecasts: At least one.
        layout: Of their series, as it was found out.
    """
    time = layout.date or STEP
    if layout.kind in ("wide", "plain"):
        # A single column without dates is called as it was, if it had a name.
        named = layout.kind == "plain" and layout.target != (NAMELESS,)
        own = layout.target if named else ()
        return _wide(forecasts, layout.multivariate, time, own)
    return _long(forecasts, layout.id or "unique_id", time)


def as_table(frame: pd.DataFrame, title: str = "") -> Table:
    """Return a frame as a table of text: dates without the parts of a day where none has any.

    Args:
        frame: Forecasts.
        title: The table's.
    """
    columns = [_texts(frame[name]) for name in frame.columns]
    return Table(list(frame.columns), list(zip(*columns, strict=True)), title)


def time_texts(times: pd.DatetimeIndex | range) -> list[str]:
    """Return dates, or numbers of steps, as they are written."""
    return pd.Index(times).astype(str).tolist()


def number_text(value: float) -> str:
    """Return a number with `DIGITS` significant digits, without an exponent; NaN is empty."""
    if np.isnan(value):
        return ""
    return np.format_float_positional(
        value, precision=DIGITS, unique=False, fractional=False, trim="-"
    )


def _wide(
    forecasts: Sequence[SeriesForecast], multivariate: bool, time: str, own: Sequence[str]
) -> pd.DataFrame:
    parts: list[dict[str, NDArray[np.float64]]] = []
    for each in forecasts:
        columns: dict[str, NDArray[np.float64]] = {}
        for place, channel in enumerate(each.channels):
            name = own[place] if own else channel if multivariate else each.name
            columns |= each.columns(place, name, f"{name}-")
        parts.append(columns)
    times = [pd.Index(each.times) for each in forecasts]
    if all(each is times[0] or each.equals(times[0]) for each in times):
        together = {name: values for columns in parts for name, values in columns.items()}
        frame = pd.DataFrame(together, index=times[0])
    else:
        frames = map(pd.DataFrame, parts, times)
        frame = pd.concat(frames, axis=1).sort_index()
    return frame.rename_axis(time).reset_index()


def _long(forecasts: Sequence[SeriesForecast], identity: str, time: str) -> pd.DataFrame:
    parts = []
    for each in forecasts:
        columns: dict[str, NDArray[np.float64]] = {}
        single = len(each.channels) == 1
        for place, channel in enumerate(each.channels):
            columns |= (
                each.columns(place, "forecast", "")
                if single
                else each.columns(place, channel, f"{channel}-")
            )
        part = pd.DataFrame(columns)
        part.insert(0, time, pd.Index(each.times))
        part.insert(0, identity, each.name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _texts(column: pd.Series[Any]) -> list[str]:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        return [number_text(float(value)) for value in column.to_numpy()]
    return column.astype(str).tolist()
