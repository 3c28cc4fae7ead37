"""Training learns what can be learnt and no more; forecasts are numbers whatever the series are."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from seqforge.data import Batch
from seqforge_tasks.forecasting import Forecasting, ForecastingOptions, TimeSeries
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.series_in_memory import SeriesInMemory
from tests.tasks.forecasting.trained import START, measured, trained

MODES = ["direct", "recursive", "segments"]
NORMALISATIONS = ["none", "last", "mean", "standard"]
each_mode = pytest.mark.parametrize("mode", MODES)


def autoregression(share: float = 0.9, steps: int = 3000) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return `x(t + 1) = share * x(t) + noise`, of deviation 1."""
    noise = np.random.default_rng(1).normal(size=steps) * np.sqrt(1 - share**2)
    values = np.zeros(steps)
    for step in range(1, steps):
        values[step] = share * values[step - 1] + noise[step]
    return values


def noisy(**options: Any) -> SeriesInMemory:
    sizes: dict[str, Any] = {"context": 8, "horizon": 6, "scaling": "none", **options}
    return TimeSeries.from_arrays(autoregression(), SeriesOptions(**sizes), batch_size=128, seed=0)


def windows(loader: Iterable[Batch]) -> list[ForecastBatch]:
    """Return all batches of a loader."""
    return [batch for batch in loader if isinstance(batch, ForecastBatch)]


def errors(task: Forecasting, data: SeriesInMemory) -> tuple[list[float], list[float]]:
    """Return the root mean square error of each step ahead, and that of the best forecast."""
    found, best = [], []
    with torch.no_grad():
        for batch in windows(data.test_dataloader()["test"]):
            share = 0.9 ** torch.arange(1, batch.target.size(1) + 1)
            ideal = batch.context[:, -1:] * share.view(1, -1, 1)
            found.append(task.predictive(batch).point() - batch.target)
            best.append(ideal - batch.target)
    one, other = (torch.cat(each).square().mean(dim=(0, 2)).sqrt() for each in (found, best))
    return one.tolist(), other.tolist()


# -- what can be learnt --------------------------------------------------------------------------


@each_mode
def test_errors_grow_with_the_horizon_as_the_process_says(mode: str) -> None:
    """The best forecast is `0.9^h x`: much less than its error would be a leak."""
    data = noisy()
    found, best = errors(trained(data, 200, 0.02, hidden=8, mode=mode, normalisation="none"), data)

    assert found == sorted(found)
    for one, bound in zip(found, best, strict=True):
        assert 0.98 * bound < one < 1.1 * bound


def test_a_recursive_forecast_goes_on_behind_the_trained_horizon() -> None:
    task = trained(noisy(), 200, 0.02, hidden=8, mode="recursive", normalisation="none")
    frame = pd.DataFrame({"y": autoregression()})
    made = task.forecast(frame, ForecastingOptions(horizon=30))["y"].to_numpy()
    short = task.forecast(frame, ForecastingOptions(horizon=6))["y"].to_numpy()

    assert len(made) == 30
    assert np.isfinite(made).all()
    np.testing.assert_allclose(made[:6], short, rtol=1e-6)
    # What is forecast far ahead is the mean, which is near 0.
    assert abs(made[-1]) < 0.35


def test_taught_and_free_forecasts_differ_on_noise() -> None:
    """Measures are those of free forecasts: a taught one knows the step before."""
    data = noisy()
    task = trained(data, 200, 0.02, hidden=8, mode="recursive", normalisation="none")
    batches = windows(data.test_dataloader()["test"])
    with torch.no_grad():
        taught = [_taught(task, batch) for batch in batches]
    free = measured(task, batches)

    guided = float(torch.cat(taught).square().mean())
    assert guided < 0.6 * free["mse"]
    # That of a point forecast is what training is stopped by; it too is of free forecasts.
    assert free["loss"] == pytest.approx(free["mse"], rel=1e-4)


def _taught(task: Forecasting, batch: ForecastBatch) -> torch.Tensor:
    found = task.network.taught(batch, None)
    return found.predictive.point() - found.target


# -- series that are hard to read ----------------------------------------------------------------


def awkward() -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Return series that are constant, nearly never observed, huge, and one to train on."""
    wave = 5 + np.sin(np.arange(60) / 3)
    holes = wave.copy()
    holes[10:54] = np.nan
    return {
        "wave": wave,
        "constant": np.full(60, 7.0),
        "holes": holes,
        "zero": np.zeros(60),
        "huge": 1e9 * wave,
    }


@each_mode
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("head", ["point", "student_t"])
def test_forecasts_of_awkward_series_are_numbers(mode: str, normalisation: str, head: str) -> None:
    options = SeriesOptions(context=8, horizon=4, train=0.6, validation=0.2)
    data = TimeSeries.from_frame(pd.DataFrame(awkward()), options, batch_size=32, seed=0)
    task = trained(data, 6, mode=mode, normalisation=normalisation, head=head)
    for parameter in task.parameters():
        assert parameter.isfinite().all()
    for loaders in (data.val_dataloader(), data.test_dataloader()):
        for loader in loaders.values():
            batches = windows(loader)
            assert any(not batch.observed.any(dim=1).all() for batch in batches)
            for name, value in measured(task, batches).items():
                assert np.isfinite(value), name
            for batch in batches:
                json.dumps(task.predict(batch), allow_nan=False)

    one = pd.DataFrame({"new": [3.0], "constant": [9.0], "wave": [5.0]})
    made = task.forecast(one)
    assert len(made) == 4
    assert np.isfinite(made.to_numpy()).all()
    if head == "point" and normalisation == "last":
        assert abs(made["new"] - 3).max() < 3


@each_mode
def test_the_loss_of_windows_in_which_nothing_is_observed(mode: str) -> None:
    options = SeriesOptions(context=8, horizon=4)
    data = TimeSeries.from_frame(pd.DataFrame(awkward()), options, batch_size=32, seed=0)
    task = trained(data, 0, mode=mode)
    batch = windows(data.train_dataloader())[0]
    none = replace(batch, target_observed=torch.zeros_like(batch.target_observed))
    term = task.loss(none, None, START).terms["loss"]

    assert term.total.item() == 0
    assert int(term.count) == 0
