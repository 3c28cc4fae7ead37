"""Whatever lies behind a cut-off is corrupted, and nothing that should not know of it changes."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from seqforge_tasks.forecasting import Forecasting, SeriesData, TimeSeries
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.panel import Panel
from tests.tasks.forecasting.series.panels import data_of, panel_of
from tests.tasks.forecasting.trained import measured, trained

MODES = ["direct", "recursive", "segments"]
TRAIN, VALIDATION, TEST = 60, 30, 30
OPTIONS: dict[str, Any] = {
    "context": 8,
    "horizon": 4,
    "split": "steps",
    "train": TRAIN,
    "validation": VALIDATION,
    "test": TEST,
    "calibration": 0.5,
    "season": 3,
    "naive2": True,
    "calendar": "auto",
}
TASKS: dict[str, dict[str, Any]] = {
    "direct": {"mode": "direct", "head": "gaussian", "identity": 2, "normalisation": "standard"},
    "recursive": {"mode": "recursive", "head": "point", "normalisation": "mean"},
    "segments": {"mode": "segments", "head": "quantile", "normalisation": "last"},
}
each_mode = pytest.mark.parametrize("mode", MODES)


def series(mode: str) -> Panel:
    """Return two series with covariates of each kind that the mode takes, and missing values."""
    steps = TRAIN + VALIDATION + TEST
    made = panel_of([steps, steps], missing=0.05, covariates=True, frequency="D")
    if mode == "recursive":
        made = replace(made, past=made.past[:, :0], past_names=())
    return made


def corrupted(panel: Panel, cut: int, known: int) -> Panel:
    """Return a panel with other values from a step on, and known covariates from a later one."""
    values, past, advance = panel.values.copy(), panel.past.copy(), panel.known.copy()
    for first, last in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        values[first + cut : last] = 1e6
        values[first + cut + 1 : last : 3] = np.nan
        past[first + cut : last] = -1e5
        advance[first + known : last] = 1e4
    return replace(panel, values=values, past=past, known=advance)


def learnt(panel: Panel, mode: str) -> tuple[SeriesData, Forecasting]:
    data = data_of(panel, **OPTIONS)
    return data, trained(data, 8, conformal=True, levels=[50.0], **TASKS[mode])


def same(one: Forecasting, other: Forecasting) -> list[str]:
    """Return the names of weights and buffers that differ in any bit."""
    theirs = other.state_dict()
    assert one.state_dict().keys() == theirs.keys()
    return [name for name, value in one.state_dict().items() if not value.equal(theirs[name])]


def predictions(task: Forecasting, data: SeriesData, stage: str) -> list[dict[str, Any]]:
    loaders = data.val_dataloader() if stage == "validation" else data.test_dataloader()
    with torch.no_grad():
        rows = [row for batch in loaders[stage] for row in task.predict(batch)]
    return [dict(row) for row in rows]


def without_truth(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "truth"} for row in rows]


# -- training ------------------------------------------------------------------------------------


@each_mode
def test_training_knows_nothing_of_what_comes_behind_its_part(mode: str) -> None:
    panel = series(mode)
    data, task = learnt(panel, mode)
    other_data, other = learnt(corrupted(panel, TRAIN, TRAIN), mode)

    assert json.dumps(data.spec()) == json.dumps(other_data.spec())
    assert same(task, other) == []
    assert task.linear.weight.abs().sum() > 0  # it was solved
    # The same would be seen of the training part itself.
    assert same(task, learnt(corrupted(panel, TRAIN - 1, TRAIN), mode)[1])


@each_mode
def test_validation_knows_nothing_of_the_test_part(mode: str) -> None:
    panel, end = series(mode), TRAIN + VALIDATION
    found = []
    for each in (panel, corrupted(panel, end, end), corrupted(panel, end - 20, end)):
        data, task = learnt(each, mode)
        scores = [measured(task, data.val_dataloader()["validation"]) for _ in range(2)]
        assert task.correction.calibrated
        found.append((scores, task.correction.corrections.tolist()))

    assert found[0] == found[1]
    assert found[0] != found[2]


# -- rolling origins -----------------------------------------------------------------------------


@each_mode
@pytest.mark.parametrize("stride", [1, 4, 7])
def test_no_fold_of_a_backtest_knows_its_future(mode: str, stride: int) -> None:
    panel = series(mode)
    task = learnt(panel, mode)[1]
    for stage in ("validation", "test"):
        expected = predictions(task, _later(panel, task, stride), stage)
        cuts = sorted({row["cut"] for row in expected})
        assert len(cuts) > 2
        for cut in (cuts[0], cuts[len(cuts) // 2], cuts[-1]):
            # What is known in advance is known to the end of the horizon.
            other = _later(corrupted(panel, cut, cut + OPTIONS["horizon"]), task, stride)
            found = predictions(task, other, stage)
            until = [row["cut"] <= cut for row in expected]
            pairs = zip(without_truth(expected), without_truth(found), until, strict=True)
            for one, same_one, before in pairs:
                if before:
                    assert one == same_one
                elif one["cut"] > cut + 2:
                    assert one != same_one
            assert expected[until.index(True)]["forecast"] is not None


def _later(panel: Panel, task: Forecasting, stride: int) -> SeriesData:
    """Return data as `seqforge test` makes them: encoded as the checkpoint has it."""
    data = data_of(panel, **{**OPTIONS, "eval_stride": stride})
    data.adopt(task.spec)
    data.setup("test")
    return data


# -- inference -----------------------------------------------------------------------------------


@each_mode
def test_a_file_that_ends_at_the_cut_off_is_forecast_as_in_the_backtest(mode: str) -> None:
    """Training and inference transform alike, and neither reads what is yet to come."""
    frame = _frame()
    options = {"calibration": 0.0, "naive2": False, "calendar": "none"}
    made = TimeSeries.from_frame(frame, _options(**options), batch_size=16, seed=0)
    task = trained(made, 8, **TASKS[mode])
    rows = predictions(task, made, "test")

    for row in rows[:: len(rows) // 6]:
        alone = task.forecast(frame.iloc[: row["cut"]])[row["series"]]
        np.testing.assert_allclose(alone, row["forecast"], rtol=1e-5)


def test_the_order_of_series_changes_no_forecast() -> None:
    frame = _frame()
    made = TimeSeries.from_frame(
        frame, _options(calibration=0.0, naive2=False), batch_size=16, seed=0
    )
    task = trained(made, 8, mode="segments", identity=3, head="gaussian", normalisation="last")
    expected, shuffled = task.forecast(frame), task.forecast(frame[["day", "c", "a", "b"]])

    assert list(shuffled.columns[1:]) != list(expected.columns[1:])
    pd.testing.assert_frame_equal(shuffled[expected.columns], expected, rtol=1e-6)
    assert abs(expected["a"] - expected["b"]).min() > 10  # each in its own scale


def test_the_order_of_series_changes_neither_scales_nor_the_linear_baseline() -> None:
    frame = _frame()
    found = []
    for names in (["a", "b", "c"], ["c", "a", "b"]):
        made = TimeSeries.from_frame(frame[["day", *names]], _options(), batch_size=16, seed=0)
        task = trained(made, 0)
        spec = made.spec()
        series, scales = spec["categories"]["series"], spec["encoding"]["series"]
        found.append((dict(zip(series, zip(*scales.values(), strict=True), strict=True)), task))
    (first, one), (second, other) = found

    assert first == second
    torch.testing.assert_close(one.linear.weight, other.linear.weight, rtol=1e-4, atol=1e-5)


def _options(**changes: Any) -> SeriesOptions:
    return SeriesOptions(**{**OPTIONS, **changes})


def _frame() -> pd.DataFrame:
    """Return three noisy series at levels of their own."""
    steps, chance = np.arange(TRAIN + VALIDATION + TEST), np.random.default_rng(3)
    values = {
        name: level + size * (np.sin(steps / 2) + 0.3 * chance.normal(size=len(steps)))
        for name, level, size in (("a", 0.0, 1.0), ("b", 100.0, 5.0), ("c", -5000.0, 300.0))
    }
    return pd.DataFrame({"day": pd.date_range("2024-01-01", periods=len(steps)), **values})
