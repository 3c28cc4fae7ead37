"""Series that a user gives: new ones, short ones, and what must be known of them in advance."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seqforge_tasks.forecasting.forecasting_options import ForecastingOptions
from seqforge_tasks.forecasting.inputs import input_layout
from seqforge_tasks.forecasting.series.encoding import Encoding
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading import panel_from_frame, read_panel
from tests.tasks.forecasting.forecasters import (
    CONTEXT,
    HORIZON,
    built,
    long,
    refused,
    repeating,
    spec,
    wide,
)

Options = ForecastingOptions
Frame = pd.DataFrame


# -- series that training has not seen -----------------------------------------------------------


def test_a_new_series_is_scaled_by_its_own_history() -> None:
    frame = long()
    task = repeating(frame, head="gaussian", levels=[80.0])
    new = frame[frame["unique_id"] == "a"].assign(unique_id="new", y=lambda rows: rows["y"] * 1e4)
    made = task.forecast(pd.concat([frame, new]))
    old, other = (made[made["unique_id"] == name] for name in ("a", "new"))
    for name in ("forecast", "lo-80", "hi-80"):
        np.testing.assert_allclose(other[name], 1e4 * old[name].to_numpy(), rtol=1e-5)


def test_unknown_categories() -> None:
    frame = long().assign(region=lambda rows: rows["unique_id"] + "1")
    task = repeating(frame, layout=Layout(static=("region",)))
    for region in ("elsewhere", 7, np.nan, None):
        made = task.forecast(frame.assign(region=region))
        np.testing.assert_allclose(made["forecast"], [29.0] * 4 + [62.0] * 4, rtol=1e-6)


def test_categories_that_look_like_numbers_are_those_of_training(tmp_path: Path) -> None:
    frame = long().assign(region=lambda rows: rows["unique_id"].map({"a": "x", "b": "7"}))
    task = repeating(frame, layout=Layout(static=("region",)))
    file = tmp_path / "b.csv"
    frame[frame["unique_id"] == "b"].to_csv(file, index=False)  # a file of nothing but numbers
    layout = input_layout(task.spec, Options())
    for panel in (read_panel(file, layout).panel, panel_from_frame(frame, layout).panel):
        assert list(panel.categories["region"])[-1] == "7"
        assert Encoding.from_spec(task.spec["encoding"]).encode(panel).categories[-1, 1] == 1


@pytest.mark.parametrize("steps", [1, 2, CONTEXT - 1, CONTEXT, 50])
def test_short_and_long_histories(steps: int) -> None:
    task = repeating(long())
    frame = long(50).groupby("unique_id").head(steps)
    made = task.forecast(frame, Options(frequency="D"))
    np.testing.assert_allclose(made["forecast"][:4], 10.0 + steps - 1, rtol=1e-5)


def test_series_without_a_value_are_named() -> None:
    frame = long()
    task = repeating(frame)
    silent = frame.assign(y=frame["y"].where(frame["unique_id"] != "b"))
    refused(lambda: task.forecast(silent), "series 'b' has no measured value$")

    # A value that is too old to be seen is none; the other series of a file may reach further.
    older = wide(frequency=None)
    older.loc[older.index >= 10, "b"] = np.nan
    refused(
        lambda: repeating(wide(frequency=None)).forecast(older),
        f"series 'b' has no measured value in its last {CONTEXT} steps",
    )


def test_missing_values_are_left_out() -> None:
    frame = wide()
    task = repeating(frame)
    frame.loc[19, "a"] = np.nan
    frame.loc[[3, 16], "b"] = np.nan
    made = task.forecast(frame)
    np.testing.assert_allclose(made["a"], 28.0, rtol=1e-6)
    np.testing.assert_allclose(made["b"], 62.0, rtol=1e-6)


# -- covariates ----------------------------------------------------------------------------------


def priced(rows: int = 20, ahead: int = HORIZON) -> Frame:
    frame = wide(rows + ahead)
    frame.loc[rows:, ["a", "b"]] = np.nan
    return frame.assign(price=np.arange(rows + ahead, dtype=np.float64))


KNOWN = Layout(known=("price",))


def test_covariates_of_the_future_are_rows_without_a_target() -> None:
    frame = priced()
    task = repeating(frame, layout=KNOWN)
    made = task.forecast(frame)
    assert made["day"].iloc[0] == pd.Timestamp("2024-01-21")
    np.testing.assert_allclose(made["a"], 29.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("ahead", "absent", "dates"),
    [
        (0, [], "2024-01-21 to 2024-01-24"),
        (3, [], "2024-01-24"),
        (4, [20, 23], "2024-01-21, 2024-01-24"),
        (4, [21, 22], "2024-01-22 to 2024-01-23"),
    ],
)
def test_missing_covariates_of_the_future_are_named(
    ahead: int, absent: list[int], dates: str
) -> None:
    task = repeating(priced(), layout=KNOWN)
    given = priced(ahead=ahead)
    given.loc[absent, "price"] = np.nan
    found = refused(
        lambda: task.forecast(given), f"series 'a' needs 'price' in advance for {dates}$"
    )
    assert found.where == "frame"
    assert "leave the target empty" in found.todo


def test_a_longer_horizon_needs_more_of_the_future() -> None:
    task = repeating(priced(), "recursive", layout=KNOWN)
    refused(lambda: task.forecast(priced(), Options(horizon=6)), "2024-01-25 to 2024-01-26$")
    assert len(task.forecast(priced(ahead=6), Options(horizon=6))) == 6
    assert len(task.forecast(priced(ahead=2), Options(horizon=2))) == 2


def test_a_missing_covariate_column() -> None:
    task = repeating(priced(), layout=KNOWN)
    found = refused(
        lambda: task.forecast(priced().rename(columns={"price": "prices"})), "no column 'price'"
    )
    assert found.closest == "prices"


def test_what_is_known_in_advance_changes_the_forecast() -> None:
    frame = priced()
    task = built(spec(panel_from_frame(frame, KNOWN), KNOWN))
    other = frame.assign(price=frame["price"].where(frame.index < 20, -9.0))
    assert not np.allclose(task.forecast(frame)["a"], task.forecast(other)["a"])
