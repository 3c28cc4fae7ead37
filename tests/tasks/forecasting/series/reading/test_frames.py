"""Series in frames, arrays and data sets."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading import (
    panel_from_arrays,
    panel_from_dataset,
    panel_from_frame,
)
from tests.tasks.forecasting.series.reading.tables import dates, refusal, same, targets

NAN = float("nan")


@pytest.mark.parametrize("name", [None, "when"])
def test_an_index_of_dates_is_the_first_column(name: str | None) -> None:
    index = pd.date_range("2020-01-01", periods=3, freq="h", name=name)
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=index)

    reading = panel_from_frame(frame)

    assert dates(reading.panel)[-1] == "2020-01-01 02:00:00"
    assert reading.layout.date == (name or "date")
    assert list(frame.columns) == ["a"]


def test_an_index_of_periods_is_dates() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.period_range("2020-01", periods=2, freq="M"))

    assert dates(panel_from_frame(frame).panel)[-1] == "2020-02-01 00:00:00"


def test_series_and_dates_may_be_in_the_index() -> None:
    frame = pd.DataFrame(
        {
            "unique_id": pd.Categorical(["b", "b", "a"]),
            "ds": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-01"]),
            "y": [1, 2, 3],
        }
    )

    same(
        panel_from_frame(frame.set_index(["unique_id", "ds"])).panel, panel_from_frame(frame).panel
    )


def test_a_panel_has_memory_of_its_own() -> None:
    frame = pd.DataFrame({"a": np.arange(3.0)})

    panel = panel_from_frame(frame).panel
    frame.iloc[0, 0] = 9.0

    assert panel.values[0, 0] == 0


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (pd.DataFrame(), "no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the column 'a' twice"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "columns in levels"),
        (pd.DataFrame({"ds": ["2020-01-01"], "y": [1j]}), "no column of numbers"),
    ],
)
def test_frames_that_are_no_table_are_refused(frame: pd.DataFrame, expected: str) -> None:
    assert expected in refusal(frame, Layout(name="the frame"))


def test_an_array_is_a_series() -> None:
    for values in (np.arange(3), [0, 1, 2], (0.0, 1.0, 2.0)):
        reading = panel_from_arrays(values, layout=Layout(name="laser"))

        assert targets(reading.panel) == {"laser": [0, 1, 2]}
        assert reading.panel.channels == ("value",)


def test_the_columns_of_an_array_are_series_or_channels() -> None:
    values = np.array([[1.0, 10], [2, 20], [3, 30]])

    apart = panel_from_arrays(values, ["a", "b"])
    together = panel_from_arrays(values, ["a", "b"], Layout(multivariate=True))

    assert targets(apart.panel) == {"a": [1, 2, 3], "b": [10, 20, 30]}
    assert (list(together.panel.names), together.panel.channels) == (["series"], ("a", "b"))
    np.testing.assert_array_equal(together.panel.values, values)
    assert targets(panel_from_arrays(values[:, :1]).panel) == {"0": [1, 2, 3]}


def test_a_list_holds_series_of_any_length() -> None:
    reading = panel_from_arrays([np.array([1.0]), np.array([2, NAN, 3])])

    np.testing.assert_array_equal(reading.panel.values[:, 0], [1, 2, NAN, 3])
    np.testing.assert_array_equal(reading.panel.history, [1, 3])
    assert list(reading.panel.names) == ["0", "1"]

    several = panel_from_arrays([np.zeros((2, 3)), np.ones((4, 3))], names=["x", "y"]).panel
    assert (several.values.shape, several.channels) == ((6, 3), ("0", "1", "2"))
    np.testing.assert_array_equal(several.target(1), np.ones((4, 3)))


@pytest.mark.parametrize(
    ("values", "names", "expected"),
    [
        ([], None, "there are no series"),
        ([np.zeros(2), np.zeros(0)], None, "'1' has the shape (0,)"),
        (np.zeros((2, 2, 2)), None, "the shape (2, 2, 2)"),
        (3.0, None, "the shape ()"),
        (np.array(["a"]), None, "something else than numbers"),
        ([[1.0, "a"]], None, "something else than numbers"),
        ([np.array([1, np.inf])], None, "infinite at step 2"),
        (np.zeros((2, 2)), ["a"], "1 names for 2 series"),
        (np.zeros((2, 2)), ["a", "a"], "'a' comes twice"),
        ([np.zeros((2, 2)), np.zeros(2)], None, "'1' has 1 channels, and the first has 2"),
    ],
)
def test_what_is_no_series_is_refused(values: Any, names: list[str] | None, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        panel_from_arrays(values, names)

    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5


def test_missing_values_of_arrays_are_refused_by_choice() -> None:
    with pytest.raises(UserError, match="the series '0' has no value at step 2"):
        panel_from_arrays([np.array([1, NAN, 3])] * 2, layout=Layout(missing="refuse"))


def test_a_data_set_is_read_as_its_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"unique_id": ["a"] * 3, "ds": ["2020-01-01", "2020-01-02", "2020-01-03"]})
    frame["y"] = [1.0, 2, 3]
    file = tmp_path / "table.csv"
    frame.to_csv(file, index=False)

    reading = panel_from_dataset("csv", files=str(file))

    same(reading.panel, panel_from_frame(frame).panel)


def test_a_data_set_may_have_a_row_each_series(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "item_id": ["x", "y"],
            "start": pd.to_datetime(["2020-01-01", "2021-05-01"]),
            "target": [[1.0, 2.0], [3.0, 4.0, 5.0]],
        }
    )
    file = tmp_path / "rows.parquet"
    frame.to_parquet(file)

    without = panel_from_dataset("parquet", files=str(file)).panel
    dated = panel_from_dataset("parquet", files=str(file), layout=Layout(frequency="MS")).panel

    assert targets(without) == targets(dated) == {"x": [1, 2], "y": [3, 4, 5]}
    assert without.starts is None
    assert dates(dated, 1)[-1] == "2021-07-01 00:00:00"


def rows_each(folder: Path, starts: list[str], values: list[list[float]]) -> str:
    """Write a data set with a row each series."""
    file = folder / "rows.parquet"
    names = [f"s{place}" for place in range(len(starts))]
    pd.DataFrame({"item_id": names, "start": starts, "target": values}).to_parquet(file)
    return str(file)


def test_a_series_of_a_data_set_begins_at_the_date_of_its_first_value(tmp_path: Path) -> None:
    starts = ["2020-01-31", "2020-02-29"]
    file = rows_each(tmp_path, starts, [[NAN, NAN, 1.0, 2.0], [3.0, 4.0]])

    panel = panel_from_dataset("parquet", files=file, layout=Layout(frequency="ME")).panel

    assert targets(panel) == {"s0": [1, 2], "s1": [3, 4]}
    assert dates(panel, 0) == ["2020-03-31 00:00:00", "2020-04-30 00:00:00"]
    assert dates(panel, 1) == ["2020-02-29 00:00:00", "2020-03-31 00:00:00"]


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        (["2020-01-01", "2020-02-15"], "'s1' begins at '2020-02-15', which is no date of the step"),
        (["2020-01-01", "no date"], "'s1' begins at 'no date', which is no date$"),
        (["once", "once"], "'s0' begins at 'once', which is no date$"),
    ],
)
def test_a_series_of_a_data_set_begins_on_its_step(
    tmp_path: Path, starts: list[str], expected: str
) -> None:
    file = rows_each(tmp_path, starts, [[1.0, 2.0], [3.0, 4.0]])

    with pytest.raises(UserError) as caught:
        panel_from_dataset("parquet", files=file, layout=Layout(frequency="MS"))
    assert re.search(expected, caught.value.given)
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize("role", ["past", "known", "static"])
def test_arrays_have_no_columns_to_be_covariates(role: str) -> None:
    columns: dict[str, Any] = {role: ("sale",)}

    with pytest.raises(UserError, match="no column 'sale'") as caught:
        panel_from_arrays(np.zeros(5), layout=Layout(**columns))
    assert caught.value.where == f"data.{role}"
    assert len(str(caught.value).splitlines()) <= 5
