"""Dates that are irregular, twice, reversed, mixed, or of days with a changed clock."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge_tasks.forecasting.series.layout import Duplicates, Layout
from seqforge_tasks.forecasting.series.reading import panel_from_frame, read_panel
from seqforge_tasks.forecasting.series.reading.dates import written_dates
from tests.tasks.forecasting.series.reading.tables import csv, dates, refusal, targets

NAN = float("nan")


def _frame(when: pd.DatetimeIndex | list[str], values: list[float] | None = None) -> pd.DataFrame:
    numbers = values if values is not None else [float(step) for step in range(len(when))]
    return pd.DataFrame({"ds": when, "y": numbers})


@pytest.mark.parametrize(
    ("frequency", "found"),
    [
        ("h", "h"),
        ("30min", "30min"),
        ("2s", "2s"),
        ("D", "D"),
        ("W-WED", "W-WED"),
        ("2W-SUN", "2W-SUN"),
        ("B", "B"),
        ("MS", "MS"),
        ("ME", "ME"),
        ("2MS", "2MS"),
        ("QS-FEB", "QS-FEB"),
        ("QE-NOV", "QE-NOV"),
        ("YS-JUL", "YS-JUL"),
        ("YE-DEC", "YE-DEC"),
        ("10YS-JAN", "10YS-JAN"),
    ],
)
@pytest.mark.parametrize("start", ["2019-11-05 06:00", "2023-02-28"])
def test_the_step_is_found(frequency: str, found: str, start: str) -> None:
    index = pd.date_range(start, periods=14, freq=frequency)

    panel = panel_from_frame(_frame(index)).panel

    # Pandas names quarters and years by any of their months.
    assert panel.starts is not None
    again = pd.date_range(panel.starts[0], periods=14, freq=panel.frequency)
    assert list(again) == list(index)
    if not found.startswith("Q"):
        assert panel.frequency == found


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["h", "D", "W-TUE", "B", "MS", "ME", "QE-DEC", "15min"]),
    st.sets(st.integers(1, 38), max_size=12),
)
def test_steps_that_are_left_out_are_missing_values(frequency: str, gone: set[int]) -> None:
    index = pd.date_range("2021-03-01", periods=40, freq=frequency)
    whole = pd.Series(np.arange(40.0), index=index)
    kept = whole.drop(index[sorted(gone)])

    reading = panel_from_frame(_frame(pd.DatetimeIndex(kept.index), kept.to_list()))

    expected = whole.where(~np.isin(np.arange(40), list(gone)))
    assert targets(reading.panel)["y"] == pytest.approx(expected.to_list(), nan_ok=True)
    assert reading.panel.frequency == frequency
    assert dates(reading.panel) == [str(date) for date in index]
    assert any("steps that are left out" in note for note in reading.notes) == bool(gone)


def test_a_gap_of_one_series_of_a_long_table_is_filled(tmp_path: Path) -> None:
    lines = ["unique_id,ds,y", "a,2020-01-01,1", "a,2020-01-02,2", "b,2020-01-01,4"]
    lines += ["b,2020-01-02,5", "b,2020-01-05,8"]

    reading = read_panel(csv(tmp_path, *lines))

    assert targets(reading.panel)["b"] == pytest.approx([4, 5, NAN, NAN, 8], nan_ok=True)
    assert reading.notes == (
        "steps that are left out are missing values: 2 in 1 series, first 2020-01-03 00:00:00",
        "missing values: 2 of 7 (28.6%)",
    )


def test_a_date_off_the_grid_is_named(tmp_path: Path) -> None:
    lines = ["unique_id,ds,y", *(f"a,2020-01-0{day},1" for day in range(1, 6))]
    lines += [*(f"b,2020-01-0{day},1" for day in range(1, 6)), "b,2020-01-07 06:00,1"]

    message = refusal(csv(tmp_path, *lines))

    assert "the series 'b' has 2020-01-07 06:00:00, which is no step of 'D'" in message
    assert "line 12" in message
    assert "data.frequency" in message


def test_a_given_step_must_fit() -> None:
    index = pd.date_range("2020-01-15", periods=4, freq="D")

    assert "no step of 'MS'" in refusal(_frame(index), Layout(frequency="MS"))
    assert panel_from_frame(_frame(index), Layout(frequency="12h")).panel.history[0] == 7


def test_steps_without_a_common_one_are_refused() -> None:
    when = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-05", "2020-01-11", "2020-02-01"])

    message = refusal(_frame(pd.DatetimeIndex(when)))

    assert "irregular: the most common one is 25% of them" in message


def test_the_step_of_single_rows_must_be_given() -> None:
    frame = pd.DataFrame({"unique_id": ["a", "b"], "ds": ["2020-01-01"] * 2, "y": [1, 2]})

    assert "no series has two of them" in refusal(frame)
    assert panel_from_frame(frame, Layout(frequency="W")).panel.frequency == "W-WED"


def test_a_date_that_is_far_away_is_taken_for_a_mistake() -> None:
    when = [*pd.date_range("2020-01-01", periods=9, freq="s"), pd.Timestamp("2021-01-01")]

    message = refusal(_frame(pd.DatetimeIndex(when)))

    assert "after 2020-01-01 00:00:08 comes 2021-01-01 00:00:00" in message


def test_reversed_rows_are_sorted() -> None:
    index = pd.date_range("2020-01-01", periods=4, freq="D")

    reading = panel_from_frame(_frame(index[::-1], [4, 3, 2, 1]))

    assert targets(reading.panel) == {"y": [1, 2, 3, 4]}
    assert reading.notes == ("rows are sorted by date, in 1 series",)


@pytest.mark.parametrize(("duplicates", "value"), [("first", 2.0), ("last", 4.0), ("mean", 3.0)])
def test_rows_with_the_same_date_are_made_one(duplicates: Duplicates, value: float) -> None:
    when = ["2020-01-01", "2020-01-02", "2020-01-02", "2020-01-02", "2020-01-03"]
    values = [1.0, 2, NAN if duplicates == "mean" else 3, 4, 5]

    reading = panel_from_frame(_frame(when, values), Layout(duplicates=duplicates))

    assert targets(reading.panel) == {"y": [1, value, 5]}
    assert reading.notes == (f"rows with a date that came before: 2; the {duplicates} counts",)


def test_rows_with_the_same_date_are_named(tmp_path: Path) -> None:
    lines = ["unique_id,ds,y", "a,2020-01-02,1", "b,2020-01-01,1", "a,2020-01-02,3"]

    message = refusal(csv(tmp_path, *lines))

    assert "the series 'a' has 2020-01-02 00:00:00 twice" in message
    assert "line 2 and line 4" in message


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (["2020-01-01", "2020-01-02 05:00"], "2020-01-02 05:00:00"),
        (["01/02/2020", "01/13/2020"], "2020-01-13 00:00:00"),
        (["01/02/2020", "13/02/2020"], "2020-02-13 00:00:00"),
        (["1.2.2020", "13.2.2020"], "2020-02-13 00:00:00"),
        (["2020Q1", "2020Q2"], "2020-04-01 00:00:00"),
        (["2020-01", "2020-02"], "2020-02-01 00:00:00"),
        (["Jan 2020", "Feb 2020"], "2020-02-01 00:00:00"),
        (["20200101", "20200102"], "2020-01-02 00:00:00"),
        (["1 January 1981", "2 January 1981"], "1981-01-02 00:00:00"),
    ],
)
def test_dates_are_read_as_they_are_written(when: list[str], expected: str) -> None:
    assert dates(panel_from_frame(_frame(when)).panel)[-1] == expected


def test_dates_that_can_be_read_in_two_ways_are_noted() -> None:
    two_ways = panel_from_frame(_frame(["1/2/2020", "1/3/2020"]))
    day_first = panel_from_frame(_frame(["1/2/2020", "13/2/2020", "25/2/2020"]))
    clear = panel_from_frame(_frame(["1/2/2020", "1/13/2020", "1/24/2020"]))
    told = panel_from_frame(_frame(["1/2/2020", "1/3/2020"]), Layout(date_format="%d/%m/%Y"))

    assert two_ways.notes == ("dates such as 1/2/2020 are read month first",)
    assert day_first.notes == ("dates such as 1/2/2020 are read day first",)
    assert clear.notes == ()
    assert dates(told.panel)[-1] == "2020-03-01 00:00:00"


@pytest.mark.parametrize(
    ("when", "bad"),
    [
        (["2020-01-01", "2020-01-02", "2020-13-03"], "2020-13-03"),
        (["2020-01-01", "2020-01-02", "3 Jan 2020"], "3 Jan 2020"),
        (["01/02/2020", "01/13/2020", "2020-01-14"], "2020-01-14"),
        (["01/13/2020", "13/01/2020", "01/14/2020"], "13/01/2020"),
        (["2020-01-01", "2020-01-02", "yesterday"], "yesterday"),
        (["2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01T02:00Z"], "2020-01-01T02:00Z"),
        (["2020-01-01", "2020-01-02", "1066-10-14"], "1066-10-14"),
    ],
)
def test_a_date_unlike_the_others_is_named(tmp_path: Path, when: list[str], bad: str) -> None:
    message = refusal(csv(tmp_path, "date,y", *(f"{date},1" for date in when)))

    assert f"'{bad}' in the column 'date'" in message
    assert f"line {when.index(bad) + 2}" in message
    assert "date_format" in message


def test_a_row_without_date_is_named(tmp_path: Path) -> None:
    message = refusal(csv(tmp_path, "date,y", "2020-01-01,1", ",2"))

    assert "there is no date in the column 'date'" in message
    assert "line 3" in message


def test_whole_numbers_are_steps_and_years() -> None:
    steps = panel_from_frame(pd.DataFrame({"ds": [10, 20, 40], "y": [1.0, 2, 4]}))
    years = panel_from_frame(pd.DataFrame({"YEAR": [1700, 1701, 1703], "y": [1.0, 2, 4]}))

    assert targets(steps.panel)["y"] == pytest.approx([1, 2, NAN, 4], nan_ok=True)
    assert steps.panel.starts is None
    assert targets(years.panel)["y"] == pytest.approx([1, 2, NAN, 4], nan_ok=True)
    assert years.panel.frequency == "YS-JAN"
    assert dates(years.panel)[0] == "1700-01-01 00:00:00"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (pd.DataFrame({"ds": [1, 2, 2.5], "y": [1.0, 2, 4]}), "2.5 in the column 'ds'"),
        (pd.DataFrame({"year": [1000, 1001], "y": [1.0, 2]}), "the year 1000 is outside"),
        (
            _frame(pd.DatetimeIndex(["1500-01-01", "1500-01-02"])),
            "1500-01-01",
        ),
    ],
)
def test_numbers_and_years_that_are_no_dates_are_named(frame: pd.DataFrame, expected: str) -> None:
    layout = Layout(date=frame.columns[0], target=("y",))

    assert expected in refusal(frame, layout)


def test_dates_in_the_middle_of_months_are_moved_to_their_start() -> None:
    reading = panel_from_frame(_frame(["2020-01-15", "2020-02-15", "2020-03-15"]))

    assert reading.panel.frequency == "MS"
    assert dates(reading.panel)[0] == "2020-01-01 00:00:00"
    assert "day 15 of a month" in reading.notes[0]


BERLIN = "Europe/Berlin"


@pytest.mark.parametrize("day", ["2024-03-31", "2024-10-27"])
def test_a_day_with_a_changed_clock_has_all_its_hours(day: str) -> None:
    index = pd.date_range(f"{day} 00:00", periods=30, freq="h", tz=BERLIN)
    zoned = panel_from_frame(_frame(index))
    texts = panel_from_frame(_frame([date.isoformat() for date in index]))
    local = panel_from_frame(_frame(index.tz_localize(None)), Layout(timezone=BERLIN))
    backwards = _frame(index.tz_localize(None)[::-1], [float(step) for step in range(29, -1, -1)])
    reversed_rows = panel_from_frame(backwards, Layout(timezone=BERLIN))

    utc = [str(date) for date in index.tz_convert("UTC").tz_localize(None)]
    for reading, zone in (
        (zoned, BERLIN),
        (texts, "UTC"),
        (local, BERLIN),
        (reversed_rows, BERLIN),
    ):
        assert dates(reading.panel) == utc
        assert targets(reading.panel) == {"y": [float(step) for step in range(30)]}
        assert reading.layout.timezone == zone
        assert "dates are converted to UTC" in reading.notes
    assert list(written_dates(pd.DatetimeIndex(utc), local.layout)) == list(index)


def test_a_clock_that_nobody_names_is_taken_as_written(tmp_path: Path) -> None:
    spring = pd.date_range("2024-03-31 00:00", periods=6, freq="h", tz=BERLIN).tz_localize(None)
    autumn = pd.date_range("2024-10-27 00:00", periods=6, freq="h", tz=BERLIN).tz_localize(None)

    reading = panel_from_frame(_frame(spring))
    assert targets(reading.panel)["y"] == pytest.approx([0, 1, NAN, 2, 3, 4, 5], nan_ok=True)
    assert written_dates(spring, reading.layout) is spring

    message = refusal(_frame(autumn))
    assert "has 2024-10-27 02:00:00 twice" in message
    assert "set data.timezone" in message


def test_an_hour_that_never_was_is_named() -> None:
    index = pd.date_range("2024-03-31 01:00", periods=3, freq="h")

    assert "2024-03-31 02:00:00 does not exist in Europe/Berlin" in refusal(
        _frame(index), Layout(timezone=BERLIN)
    )


@pytest.mark.parametrize("as_text", [True, False])
def test_days_and_months_of_a_zone_stay_days_and_months(as_text: bool) -> None:
    for frequency in ("D", "MS"):
        index = pd.date_range("2024-03-01", periods=40, freq=frequency, tz=BERLIN)
        frame = _frame([date.isoformat() for date in index] if as_text else index)

        reading = panel_from_frame(frame)

        assert (reading.panel.frequency, reading.layout.timezone) == (frequency, None)
        assert dates(reading.panel)[-1] == str(index[-1].tz_localize(None))
