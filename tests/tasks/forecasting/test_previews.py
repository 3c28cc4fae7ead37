"""What is shown while a network learns: measures beside baselines, windows, predictions."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure as MatplotlibFigure

from seqforge.data import Batch
from seqforge.encoders import GRU, EncoderFactory
from seqforge.task import Figure, Table, Text
from seqforge_tasks.forecasting import Forecasting, MackeyGlass, SeriesData
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.pictures import FORECAST, KNOWN
from seqforge_tasks.forecasting.previews import table_lines

CONTEXT, HORIZON = 60, 5


def data(**choices: Any) -> SeriesData:
    made = MackeyGlass(series=4, length=120, context=CONTEXT, horizon=HORIZON, **choices)
    made.setup("fit")
    return made


def first(made: SeriesData) -> ForecastBatch:
    batch: Batch = next(iter(made.val_dataloader()["validation"]))
    assert isinstance(batch, ForecastBatch)
    return batch


def untrained(made: SeriesData, **options: Any) -> Forecasting:
    torch.manual_seed(0)
    task = Forecasting(**{"mode": "direct", "head": "gaussian", "levels": [80.0], **options})
    task.build(EncoderFactory(partial(GRU, hidden_size=4)), made.spec())
    return task.eval()


@pytest.fixture(scope="module")
def windows() -> SeriesData:
    return data()


def drawn(task: Forecasting, batch: ForecastBatch) -> MatplotlibFigure:
    figure = task.preview(batch)[-1]
    assert isinstance(figure, Figure)
    return figure.figure


def line(figure: MatplotlibFigure, panel: int, colour: str, which: int) -> np.ndarray:
    lines = [each for each in figure.axes[panel].get_lines() if each.get_color() == colour]
    return np.asarray(lines[which].get_xydata())


def test_before_any_measure_there_is_only_a_picture(windows: SeriesData) -> None:
    (shown,) = untrained(windows).preview(first(windows))
    assert isinstance(shown, Figure)
    assert shown.title == "forecast"


@torch.no_grad()
def test_measures_are_shown_beside_those_of_the_baselines(windows: SeriesData) -> None:
    task, batch = untrained(windows), first(windows)
    task.prepare(windows)
    task.evaluate(batch)
    found = task.finish_evaluation()
    table, notes, picture = task.preview(batch)

    assert isinstance(table, Table)
    assert [*table.columns[1:]] == ["network", "seasonal naive", "linear"]
    assert isinstance(notes, Text)
    assert "the network" in notes.body
    assert found["mae"] > found["linear_mae"]
    assert isinstance(picture, Figure)
    assert task.remarks()[0].split() == ["network", "seasonal", "naive", "linear"]


@torch.no_grad()
def test_a_picture_shows_windows_in_units_of_the_data(windows: SeriesData) -> None:
    task, batch = untrained(windows), first(windows)
    figure = drawn(task, batch)
    assert len(figure.axes) == 3

    row = len(batch.ids) // 6  # the middle of the first third
    scale, location = batch.scale[row, 0], batch.location[row, 0]
    context = batch.context[row, -48:, 0] * scale + location
    np.testing.assert_allclose(line(figure, 0, KNOWN, 0)[:, 1], context, rtol=1e-5)
    np.testing.assert_array_equal(line(figure, 0, KNOWN, 0)[:, 0], np.arange(-47, 1))
    truth = batch.target[row, :, 0] * scale + location
    np.testing.assert_allclose(line(figure, 0, KNOWN, 1)[1:, 1], truth, rtol=1e-5)
    forecast = task.predictive(batch).point()[row, :, 0] * scale + location
    shown = line(figure, 0, FORECAST, 0)
    np.testing.assert_allclose(shown[:, 1], forecast, rtol=1e-4)
    np.testing.assert_array_equal(shown[:, 0], np.arange(1, HORIZON + 1))
    assert f"cut off after {int(batch.cuts[row])} steps" in figure.axes[0].get_title(loc="left")


def test_a_batch_of_one_window_can_be_shown(windows: SeriesData) -> None:
    batch = first(windows).rows(torch.tensor([2]))
    assert len(drawn(untrained(windows), batch).axes) == 1


@torch.no_grad()
def test_series_read_as_a_whole_are_shown_to_their_ends() -> None:
    whole = data(carried=True, lead=3)
    task = untrained(whole, every_step=True, normalisation="none", head="point")
    batch = first(whole)
    figure = drawn(task, batch)

    title = figure.axes[0].get_title(loc="left")
    assert title.endswith(f"each step forecast {3 + HORIZON - 1} steps before")
    forecast = task.predictive(batch).point()[:, -1, 0].view(len(batch.ids), -1)
    shown = line(figure, 0, FORECAST, 0)[:, 1]
    end = (forecast[0] * batch.scale[0, 0] + batch.location[0, 0])[-len(shown) :]
    np.testing.assert_allclose(shown, end, rtol=1e-4)
    last = batch.target[0, -1, 0] * batch.scale[0, 0] + batch.location[0, 0]
    assert line(figure, 0, KNOWN, 0)[-1, 1] == pytest.approx(float(last), rel=1e-5)


@torch.no_grad()
def test_predictions_are_plain_values(windows: SeriesData) -> None:
    task, batch = untrained(windows), first(windows)
    batch.target_observed[1, 2] = False
    rows = task.predict(batch)

    assert len(rows) == len(batch.ids)
    assert list(rows[1]) == ["series", "cut", "forecast", "lo-80", "hi-80", "truth"]
    truth, low, high = (np.array(rows[0][name]) for name in ("truth", "lo-80", "hi-80"))
    expected = batch.target[0, :, 0] * batch.scale[0, 0] + batch.location[0, 0]
    np.testing.assert_allclose(truth.astype(float), expected, rtol=1e-5)
    assert (low < high).all()
    held_back = rows[1]["truth"]
    assert isinstance(held_back, list)
    assert [value is None for value in held_back] == [False, False, True, False, False]


def test_a_table_as_lines() -> None:
    table = Table(["", "MAE", "x"], [["network", "0.25", ""], ["linear", "10", "7"]])
    assert table_lines(table) == ["          MAE  x", "network  0.25", "linear     10  7"]
