"""Where series begin and end, and missing values that are refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading import panel_from_frame, read_panel
from tests.tasks.forecasting.series.reading.tables import csv, dates, refusal, targets

NAN = float("nan")


def test_rows_behind_the_last_value_are_the_future(tmp_path: Path) -> None:
    lines = ["unique_id,ds,y,price", "a,2020-01-01,,1", "a,2020-01-02,2,2", "a,2020-01-03,,3"]
    lines += ["a,2020-01-04,4,4", "a,2020-01-05,,5", "b,2020-01-04,7,6", "c,2020-01-05,,9"]

    reading = read_panel(csv(tmp_path, *lines), Layout(known=("price",)))

    panel = reading.panel
    np.testing.assert_array_equal(panel.offsets, [0, 4, 5, 6])
    np.testing.assert_array_equal(panel.history, [3, 1, 0])
    np.testing.assert_array_equal(panel.known[:, 0], [2, 3, 4, 5, 6, 9])
    assert dates(panel)[0] == "2020-01-02 00:00:00"
    assert targets(panel)["a"] == pytest.approx([2, NAN, 4], nan_ok=True)
    assert reading.notes == (
        "rows behind the last value, the future: 1 at most",
        "missing values: 1 of 4 (25.0%)",
    )


def test_the_series_of_a_wide_table_end_together() -> None:
    frame = pd.DataFrame({"a": [NAN, 1, 2, NAN, NAN], "b": [3, 4, 5, 6, NAN]})

    panel = panel_from_frame(frame).panel

    np.testing.assert_array_equal(panel.history, [3, 4])
    np.testing.assert_array_equal(panel.offsets, [0, 4, 9])
    np.testing.assert_array_equal(panel.target(0)[:, 0], [1, 2, NAN])


def test_months_before_the_first_value_move_its_date() -> None:
    index = pd.date_range("2020-01-01", periods=4, freq="MS")
    frame = pd.DataFrame({"a": [NAN, NAN, 1, 2], "b": [1.0, 2, 3, 4]}, index=index)

    panel = panel_from_frame(frame).panel

    assert dates(panel, 0) == ["2020-03-01 00:00:00", "2020-04-01 00:00:00"]
    assert len(dates(panel, 1)) == 4


def test_constant_series_are_noted() -> None:
    frame = pd.DataFrame({name: [5.0, 5, NAN, 5] for name in "abcde"} | {"f": [1.0, 2, 3, 4]})

    assert panel_from_frame(frame).notes == (
        "missing values: 5 of 24 (20.8%)",
        "constant: 'a', 'b', 'c' and 2 more",
    )


@pytest.mark.parametrize(
    ("lines", "layout", "expected"),
    [
        (
            ["date,a,b", "2020-01-01,1,1", "2020-01-02,,1", "2020-01-03,3,3"],
            Layout(missing="refuse"),
            "the series 'a' has no value at 2020-01-02 00:00:00",
        ),
        (
            ["date,a", "2020-01-01,1", "2020-01-02,1", "2020-01-04,3"],
            Layout(missing="refuse"),
            "the series 'a' has no value at 2020-01-03 00:00:00",
        ),
        (
            ["date,a,b", "2020-01-01,1,1", "2020-01-02,,1", "2020-01-03,3,3"],
            Layout(missing="refuse", multivariate=True, name="x"),
            "the series 'x' has no a at 2020-01-02 00:00:00",
        ),
        (
            ["a,wind", "1,1", "2,"],
            Layout(missing="refuse", past=("wind",)),
            "the series 'a' has no wind at step 2",
        ),
        (
            ["a,price", "1,1", ",", ",3"],
            Layout(missing="refuse", known=("price",)),
            "the series 'a' has no price at step 2",
        ),
    ],
)
def test_missing_values_are_refused_by_choice(
    tmp_path: Path, lines: list[str], layout: Layout, expected: str
) -> None:
    message = refusal(csv(tmp_path, *lines), layout)

    assert expected in message
    assert "data.missing" in message


def test_what_need_not_be_known_may_be_missing(tmp_path: Path) -> None:
    lines = ["date,a,wind", "2020-01-01,,", "2020-01-02,1,1", "2020-01-03,2,2", "2020-01-04,,"]

    panel = read_panel(csv(tmp_path, *lines), Layout(missing="refuse", past=("wind",))).panel

    assert targets(panel) == {"a": [1, 2]}
