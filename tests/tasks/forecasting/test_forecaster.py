"""Forecasts of files and frames: right values, at the right dates, in the form of the input."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge_tasks.forecasting.forecaster import Forecaster
from seqforge_tasks.forecasting.forecasting_options import ForecastingOptions
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading import panel_from_frame
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


# -- the form of the input ---------------------------------------------------------------------


def test_a_wide_frame() -> None:
    frame = wide()
    made = repeating(frame).forecast(frame)

    assert made.columns.tolist() == ["day", "a", "b"]
    assert made["day"].tolist() == list(pd.date_range("2024-01-21", periods=HORIZON))
    np.testing.assert_allclose(made["a"], 29.0, rtol=1e-6)
    np.testing.assert_allclose(made["b"], 62.0, rtol=1e-6)


def test_dates_in_the_index_stay_there() -> None:
    frame = wide()
    task = repeating(frame)
    expected = task.forecast(frame)
    indexed = task.forecast(frame.set_index("day"))
    unnamed = task.forecast(frame.set_index("day").rename_axis(None))

    pd.testing.assert_frame_equal(indexed.reset_index(), expected)
    assert indexed.index.name == "day"
    assert unnamed.index.name is None
    assert unnamed.columns.tolist() == ["a", "b"]
    assert unnamed.index[0] == pd.Timestamp("2024-01-21")


def test_a_frame_without_dates_goes_on_counting() -> None:
    frame = wide(frequency=None)
    task = repeating(frame)
    assert task.forecast(frame).index.tolist() == [20, 21, 22, 23]
    counted = frame.set_index(pd.RangeIndex(100, 140, 2))
    made = task.forecast(counted)
    assert made.index.tolist() == [140, 142, 144, 146]
    assert made.columns.tolist() == ["a", "b"]


def test_numbers_of_steps_go_on_as_they_were() -> None:
    frame = long().assign(ds=np.tile(np.arange(100, 140, 2), 2))
    frame.loc[frame["unique_id"] == "b", "ds"] += 6
    made = repeating(frame).forecast(frame)
    assert made["ds"].tolist() == [140, 142, 144, 146, 146, 148, 150, 152]

    later = wide(frequency=None)
    later.loc[:4, "b"] = np.nan  # a series that begins later ends at the same step
    assert repeating(later).forecast(later).index.tolist() == [20, 21, 22, 23]


def test_a_long_frame_and_any_order_of_its_series() -> None:
    frame = long()
    task = repeating(frame)
    made = task.forecast(frame)
    assert made.columns.tolist() == ["unique_id", "ds", "forecast"]
    np.testing.assert_allclose(made["forecast"], [29.0] * 4 + [62.0] * 4, rtol=1e-6)

    shuffled = task.forecast(frame.sample(frac=1, random_state=0))
    again = shuffled.sort_values(["unique_id", "ds"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(again, made)


def test_channels_keep_their_names() -> None:
    frame, layout = wide(), Layout(multivariate=True)
    task = repeating(frame, head="gaussian", layout=layout, levels=[80.0])
    made = task.forecast(frame)
    assert made.columns.tolist() == [
        *("day", "a", "a-lo-80", "a-hi-80"),
        *("b", "b-lo-80", "b-hi-80"),
    ]
    np.testing.assert_allclose(made["b"], 62.0, rtol=1e-6)
    found = refused(lambda: task.forecast(frame.rename(columns={"b": "bb"})), "no column 'b'")
    assert (found.where, found.closest) == ("--target", "bb")


@pytest.mark.parametrize(
    ("frequency", "start"),
    [
        ("MS", "2023-11-01"),
        ("ME", "2023-11-30"),
        ("QS", "2020-01-01"),
        ("YS", "1990-01-01"),
        ("W-WED", "2024-01-03"),
        ("B", "2024-01-02"),
        ("h", "2024-01-01 05:00"),
        ("30min", "2024-01-01"),
    ],
)
def test_dates_continue_in_the_series_own_frequency(frequency: str, start: str) -> None:
    frame = wide(frequency=frequency, start=start)
    made = repeating(frame).forecast(frame)
    expected = pd.date_range(start, periods=20 + HORIZON, freq=frequency)[20:]
    assert made["day"].tolist() == list(expected)


def test_hours_over_the_change_of_the_clock() -> None:
    frame = wide(frequency=None)
    zone = "Europe/Berlin"  # on 27 October 2024, 3:00 became 2:00
    dates = pd.date_range("2024-10-26 08:00", periods=24, freq="h", tz=zone)
    frame.insert(0, "time", dates[:20])
    made = repeating(frame).forecast(frame)
    assert pd.DatetimeIndex(made["time"]).tz is not None
    assert [str(each) for each in made["time"]] == [str(each) for each in dates[20:]]
    assert str(dates[20]) == "2024-10-27 03:00:00+01:00"


# -- horizons and intervals ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["direct", "segments", "recursive"])
def test_a_shorter_horizon_is_the_beginning_of_the_trained_one(mode: str) -> None:
    frame = wide()
    task = built(spec(panel_from_frame(frame), Layout()), mode)
    whole, part = (task.forecast(frame, Options(horizon=each)) for each in (0, 2))
    assert len(whole) == 2 * len(part) == HORIZON
    np.testing.assert_allclose(part["a"], whole["a"][:2], rtol=1e-5)


def test_only_the_recursive_mode_goes_on_behind_the_trained_horizon() -> None:
    frame = wide()
    made = repeating(frame, "recursive").forecast(frame, Options(horizon=9))
    assert made["day"].iloc[-1] == pd.Timestamp("2024-01-29")
    np.testing.assert_allclose(made["a"], 29.0, rtol=1e-5)
    for mode in ("direct", "segments"):
        task = repeating(frame, mode)
        found = refused(
            partial(task.forecast, frame, Options(horizon=9)),
            "a horizon of 9 steps, and the network was trained to forecast 4",
        )
        assert found.where == "--horizon"
        assert "recursive" in found.todo


def test_intervals_are_those_of_the_head() -> None:
    frame = wide()
    task = repeating(frame, head="gaussian")
    made = task.forecast(frame, Options(levels=[90, 50]))
    columns = ["a", "a-lo-50", "a-hi-50", "a-lo-90", "a-hi-90"]
    assert made.columns.tolist()[1:6] == columns

    panel = panel_from_frame(frame).panel
    forecaster = Forecaster(task, Options())
    assert forecaster.levels == [80.0, 95.0]
    encoded = forecaster._encoding.encode(panel)
    with torch.no_grad():
        predictive = task.predictive(encoded.batch([0, 1], [0, 1], panel.history), HORIZON)
        low = predictive.quantiles([0.05])[0, :, 0, 0].double().numpy()
    scale, location = np.std(frame["a"]), np.mean(frame["a"])
    np.testing.assert_allclose(made["a-lo-90"], low * scale + location, rtol=1e-5)


def test_points_have_no_intervals() -> None:
    frame = wide()
    task = repeating(frame)
    assert not [name for name in task.forecast(frame) if "lo" in str(name)]
    found = refused(
        lambda: task.forecast(frame, Options(levels=[80, 95])),
        "intervals of 80 and 95 %, and the network forecasts points alone",
    )
    assert found.where == "--levels"
    assert "conformal" in found.todo


def test_intervals_can_be_left_out() -> None:
    frame = wide()
    made = repeating(frame, head="gaussian").forecast(frame, Options(intervals=False))
    assert made.columns.tolist() == ["day", "a", "b"]


def calibrated(frame: Frame, width: float) -> Any:
    """Return a task of points whose intervals reach as far as 10 and 20 times a width."""
    task = repeating(frame, conformal=True, levels=[50.0, 80.0])
    steps = torch.arange(1, 21).repeat_interleave(HORIZON).view(20, HORIZON, 1)
    point = torch.zeros(20, HORIZON, 1)
    ends = point.unsqueeze(-1).expand(-1, -1, -1, 2)
    task.correction.update(ends, ends, width * steps, torch.ones_like(steps, dtype=torch.bool))
    task.correction.finish()
    return task


def test_calibrated_intervals_of_points() -> None:
    frame = wide()
    task = calibrated(frame, 0.1)
    made = task.forecast(frame)
    scale = np.std(frame["a"])
    # Of 20 errors of 0.1, 0.2, …, 2 the eleventh (0.5 * 21) and the seventeenth (0.8 * 21).
    np.testing.assert_allclose(made["a-hi-50"] - made["a"], 1.1 * scale, rtol=1e-5)
    np.testing.assert_allclose(made["a"] - made["a-lo-80"], 1.7 * scale, rtol=1e-5)
    only = task.forecast(frame, Options(levels=[80]))
    assert only.columns.tolist()[:4] == ["day", "a", "a-lo-80", "a-hi-80"]
    np.testing.assert_array_equal(only["a-lo-80"], made["a-lo-80"])


def test_levels_that_were_not_calibrated() -> None:
    frame = wide()
    found = refused(
        lambda: calibrated(frame, 0.1).forecast(frame, Options(levels=[80, 95])),
        "an interval of 95 %, and those of 50 and 80 % were calibrated",
    )
    assert found.accepted == ("50", "80")


def test_intervals_before_any_calibration() -> None:
    frame = wide()
    task = repeating(frame, conformal=True)
    assert task.forecast(frame).columns.tolist() == ["day", "a", "b"]
    refused(lambda: task.forecast(frame, Options(levels=[80])), "were never calibrated")


# -- what must not matter --------------------------------------------------------------------------


@settings(max_examples=6, deadline=None)
@given(st.integers(1, 7), st.permutations(range(5)))
def test_neither_order_nor_batch_size_matters(size: int, order: list[int]) -> None:
    steps = np.arange(30)
    columns = {f"s{number}": np.sin(steps * (number + 1) / 5) * 10**number for number in range(5)}
    frame = Frame(columns)
    task = built(spec(panel_from_frame(frame), Layout()), head="student_t")
    whole = task.forecast(frame)
    names = [f"s{number}" for number in order]
    part = task.forecast(frame[names], Options(batch_size=size))
    for name in whole:
        np.testing.assert_allclose(part[name], whole[name], rtol=1e-4, atol=1e-5)


def test_a_network_in_training_forecasts_as_in_evaluation() -> None:
    frame = wide()
    task = built(spec(panel_from_frame(frame), Layout()), dropout=0.5)
    expected = task.forecast(frame)
    task.train()
    pd.testing.assert_frame_equal(task.forecast(frame), expected)
    assert task.training


def test_steps_that_are_skipped() -> None:
    frame = wide()
    made = repeating(frame, choices={"lead": 3}).forecast(frame)
    assert made["day"].tolist() == list(pd.date_range("2024-01-23", periods=HORIZON))


def test_a_state_that_is_carried_reads_the_whole_history() -> None:
    frame = wide(frequency=None)[["a"]]
    data = spec(panel_from_frame(frame), Layout(), carried=True)
    task = built(data, every_step=True, normalisation="none")
    early = frame.copy()
    early["a"] += 5.0 * (early.index == 0)
    assert len(frame) > CONTEXT
    assert not np.array_equal(task.forecast(frame)["a"], task.forecast(early)["a"])


def test_other_steps_than_in_training_are_refused() -> None:
    task = repeating(wide())
    refused(lambda: task.forecast(wide(frequency="h")), "steps of 'h'.*trained on steps of 'D'")
    months = repeating(wide(frequency="MS"))
    assert len(months.forecast(wide(frequency="ME"))) == HORIZON


def test_options_of_the_layout() -> None:
    frame = wide()
    task = repeating(frame)
    renamed = frame.rename(columns={"day": "moment"})
    made = task.forecast(renamed, Options(date="moment", target=["b"]))
    assert made.columns.tolist() == ["moment", "b"]
    found = refused(lambda: task.forecast(frame, Options(target=["c"])), "no column 'c'")
    assert found.where == "--target"


def test_an_index_of_names_and_dates_stays_there() -> None:
    frame = long()
    task = repeating(frame)
    plain = task.forecast(frame)
    both = task.forecast(frame.set_index(["unique_id", "ds"]))
    assert both.index.names == ["unique_id", "ds"]
    pd.testing.assert_frame_equal(both.reset_index(), plain)
    names = task.forecast(frame.set_index("unique_id"))
    assert names.index.name == "unique_id"
    pd.testing.assert_frame_equal(names.reset_index(), plain)


@pytest.mark.parametrize("indexed", [False, True])
def test_days_keep_their_time_zone(indexed: bool) -> None:
    frame = wide()
    task = repeating(frame)
    plain = task.forecast(frame)
    zoned = frame.assign(day=frame["day"].dt.tz_localize("Europe/Berlin"))
    made = task.forecast(zoned.set_index("day").rename_axis(None) if indexed else zoned)
    dates = pd.DatetimeIndex(made.index if indexed else made["day"])
    assert str(dates.tz) == "Europe/Berlin"
    assert dates.tz_localize(None).tolist() == plain["day"].tolist()


def test_midnights_that_the_clock_skips() -> None:
    # In Beirut the clock went from 0:00 to 1:00 on 2024-03-31.
    frame = wide().assign(day=pd.date_range("2024-03-11", periods=20, tz="Asia/Beirut"))
    dates = repeating(wide()).forecast(frame)["day"]
    assert dates.iloc[0] == pd.Timestamp("2024-03-31 01:00", tz="Asia/Beirut")
    assert dates.iloc[1] == pd.Timestamp("2024-04-01", tz="Asia/Beirut")


@pytest.mark.parametrize("given", [wide()["a"], [1.0, 2.0], None])
def test_what_is_no_frame_is_refused(given: Any) -> None:
    task = repeating(wide())
    found = refused(lambda: task.forecast(given), "not a frame")
    assert found.where == "frame"
