"""Covariates stand at their own steps: noise that is its own covariate tells which it knows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting import TimeSeries
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.series_in_memory import SeriesInMemory
from tests.tasks.forecasting.trained import measured, trained

MODES = ["direct", "recursive", "segments"]


def data(role: str, shift: int = 0) -> SeriesInMemory:
    """Return noise with itself as a covariate, moved on by some steps."""
    noise = np.random.default_rng(0).normal(size=6000)
    frame = pd.DataFrame({"y": noise, "itself": np.roll(noise, shift)})
    columns: dict[str, Any] = {role: ("itself",)}
    layout = Layout(kind="wide", target=("y",), **columns)
    return TimeSeries.from_frame(frame, SeriesOptions(context=8, horizon=4), layout, 256, seed=0)


def nrmse(mode: str, made: SeriesInMemory, steps: int = 300) -> float:
    task = trained(made, steps, rate=0.07, hidden=2, mode=mode, normalisation="none")
    return measured(task, made.test_dataloader()["test"])["nrmse"]


@pytest.mark.parametrize("mode", MODES)
def test_a_series_that_is_known_in_advance_is_forecast_exactly(mode: str) -> None:
    assert nrmse(mode, data("known")) < 0.01


@pytest.mark.parametrize("mode", ["direct", "segments"])
def test_a_series_that_is_known_up_to_the_cut_off_is_not(mode: str) -> None:
    assert 0.2 < nrmse(mode, data("past"), 100) < 1.2


def test_a_recursive_forecast_refuses_what_it_would_not_know() -> None:
    with pytest.raises(UserError, match="past covariates of steps that are yet to come") as caught:
        nrmse("recursive", data("past"), 1)
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize("mode", MODES)
def test_a_covariate_that_is_a_step_late_tells_nothing(mode: str) -> None:
    """Row t has the value of t - 1: were it read a step off, this would be the exact one."""
    assert nrmse(mode, data("known", shift=1), 60) > 0.2
