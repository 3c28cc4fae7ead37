"""Forecasts leave in the form in which their series came."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.tables import (
    SeriesForecast,
    as_frame,
    as_table,
    number_text,
    time_texts,
)

WIDE = Layout(kind="wide", date="day")
LONG = Layout(kind="long", date="ds", id="shop")
DAYS = pd.date_range("2024-02-28", periods=2, freq="D")


def forecast(
    name: str = "a",
    times: pd.DatetimeIndex | range = DAYS,
    channels: Sequence[str] = ("value",),
    levels: Sequence[float] = (),
    start: float = 0.0,
) -> SeriesForecast:
    steps, count = len(times), len(channels)
    point = start + np.arange(steps * count, dtype=np.float64).reshape(steps, count)
    widths = np.array(levels)
    return SeriesForecast(
        name,
        channels,
        times,
        point,
        point[..., None] - widths,
        point[..., None] + widths,
        levels,
        times[:0],
        np.zeros((0, count)),
    )


def test_wide_series_have_a_column_each() -> None:
    frame = as_frame([forecast("a", levels=(80.0, 97.5)), forecast("b", start=10)], WIDE)

    expected = pd.DataFrame(
        {
            "day": DAYS,
            "a": [0.0, 1.0],
            "a-lo-80": [-80.0, -79.0],
            "a-hi-80": [80.0, 81.0],
            "a-lo-97.5": [-97.5, -96.5],
            "a-hi-97.5": [97.5, 98.5],
            "b": [10.0, 11.0],
        }
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_wide_series_that_end_at_different_dates() -> None:
    later = forecast("b", DAYS + pd.Timedelta(days=1), start=10)
    frame = as_frame([forecast("a"), later], WIDE)

    assert frame["day"].tolist() == list(pd.date_range("2024-02-28", periods=3))
    np.testing.assert_array_equal(frame["a"], [0, 1, math.nan])
    np.testing.assert_array_equal(frame["b"], [math.nan, 10, 11])
    assert as_table(frame).rows[0] == ("2024-02-28", "0", "")


def test_channels_of_one_series() -> None:
    layout = Layout(kind="wide", multivariate=True)
    frame = as_frame([forecast("file", range(5, 7), ("x", "y"), (80.0,))], layout)

    assert list(frame) == ["step", "x", "x-lo-80", "x-hi-80", "y", "y-lo-80", "y-hi-80"]
    assert frame["step"].tolist() == [5, 6]
    np.testing.assert_array_equal(frame["y"], [1.0, 3.0])


def test_long_series_have_rows_each() -> None:
    frame = as_frame([forecast("a", levels=(80.0,)), forecast("b", start=10, levels=(80.0,))], LONG)

    assert list(frame) == ["shop", "ds", "forecast", "lo-80", "hi-80"]
    assert frame["shop"].tolist() == ["a", "a", "b", "b"]
    assert frame["ds"].tolist() == [*DAYS, *DAYS]
    np.testing.assert_array_equal(frame["forecast"], [0, 1, 10, 11])
    np.testing.assert_array_equal(frame["hi-80"], [80, 81, 90, 91])


def test_long_series_with_channels() -> None:
    frame = as_frame([forecast(channels=("x", "y"), levels=(80.0,))], LONG)
    assert list(frame)[2:] == ["x", "x-lo-80", "x-hi-80", "y", "y-lo-80", "y-hi-80"]


def test_rows_of_series_become_long() -> None:
    frame = as_frame([forecast("H1", range(3, 5))], Layout(kind="ragged"))
    assert frame.columns.tolist() == ["unique_id", "step", "forecast"]
    assert frame["step"].tolist() == [3, 4]


def test_dates_have_no_hours_where_none_has_any() -> None:
    hours = pd.date_range("2024-10-27", periods=3, freq="h", tz="Europe/Berlin") + pd.Timedelta(
        "1h"
    )
    assert time_texts(DAYS) == ["2024-02-28", "2024-02-29"]
    assert time_texts(hours[1:]) == ["2024-10-27 02:00:00+02:00", "2024-10-27 02:00:00+01:00"]
    assert time_texts(range(3, 5)) == ["3", "4"]
    table = as_table(as_frame([forecast()], WIDE), "sales.csv")
    assert (table.title, table.columns) == ("sales.csv", ["day", "a"])
    assert table.rows == [("2024-02-28", "0"), ("2024-02-29", "1")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (431.23456789, "431.2346"),
        (float(np.float32(0.3)), "0.3"),
        (-3.0, "-3"),
        (123456789.0, "123456800"),
        (math.nan, ""),
        (1.5e-9, "0.0000000015"),
    ],
)
def test_numbers_are_written_as_people_do(value: float, text: str) -> None:
    assert number_text(value) == text


@given(st.floats(min_value=-1e30, max_value=1e30, allow_subnormal=False))
def test_written_numbers_are_read_again(value: float) -> None:
    assert float(number_text(value)) == pytest.approx(value, rel=1e-6, abs=1e-300)
