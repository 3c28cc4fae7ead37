"""What is shown of a network while it learns to forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqforge.task import Figure, Preview, Table, Text
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.forecaster import in_data_units
from seqforge_tasks.forecasting.pictures import (
    Band,
    Picture,
    context_shown,
    forecast_figure,
)
from seqforge_tasks.forecasting.predictions import series_name

if TYPE_CHECKING:
    from seqforge_tasks.forecasting.task import Forecasting

SHOWN = 3
"""Windows that each preview shows."""

AXIS = "steps from the cut-off"


def previews(task: Forecasting, batch: ForecastBatch) -> list[Preview]:
    """Return the table of the last measures beside the baselines, and a picture of a few windows.

    Args:
        task: A built task.
        batch: Of the validation part; the windows are spread over it.
    """
    table, notes = task.table.table(), task.notes()
    shown: list[Preview] = [table] if table.rows else []
    if notes:
        shown.append(Text("\n".join(notes), title="notes"))
    count = min(SHOWN, len(batch.ids))
    chosen = [(2 * number + 1) * len(batch.ids) // (2 * count) for number in range(count)]
    windows = batch.rows(torch.tensor(chosen, device=batch.ids.device))
    draw = _every_step if task.spec["carried"] else _windows
    return [*shown, Figure(forecast_figure(draw(task, windows)), title="forecast")]


def table_lines(table: Table) -> list[str]:
    """Return a table as lines of text, its columns aligned.

    Args:
        table: With cells of text and numbers.
    """
    cells = [[str(cell) for cell in row] for row in (table.columns, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


@torch.no_grad()
def _windows(task: Forecasting, batch: ForecastBatch) -> list[Picture]:
    """Return each window's context, forecast, truth and intervals; of several channels, one."""
    predictive = task.predictive(batch, task.spec["horizon"])
    point = in_data_units(batch, predictive.point())
    levels = task.measured_levels
    ends = (
        [in_data_units(batch, end) for end in task.intervals(predictive, levels)] if levels else []
    )
    context = _measured(batch, batch.context, batch.observed)
    truth = _measured(batch, batch.target, batch.target_observed)
    pictures = []
    for row, length in enumerate(batch.lengths.tolist()):
        channel = row % point.size(2)
        first = max(0, length - context_shown(point.size(1)))
        steps = np.arange(point.size(1), dtype=np.float64) + task.spec["lead"]
        pictures.append(
            Picture(
                f"{_name(task, batch, row, channel)}, cut off after {int(batch.cuts[row])} steps",
                np.arange(first - length + 1, 1, dtype=np.float64),
                _array(context[row, first:length, channel]),
                steps,
                _array(point[row, :, channel]),
                _array(truth[row, :, channel]),
                _bands(ends, levels, row, channel),
                AXIS,
                task.spec["lead"],
            )
        )
    return pictures


@torch.no_grad()
def _every_step(task: Forecasting, batch: ForecastBatch) -> list[Picture]:
    """Return the end of each series beside what was forecast of it, as far ahead as trained."""
    lead, horizon = task.spec["lead"], task.spec["horizon"]
    rows, steps, channels = batch.context.shape
    predictive = task.predictive(batch)  # (B * L, H, K)
    point = predictive.point()[:, -1].view(rows, steps, channels)
    ahead = lead + horizon - 1
    following = torch.cat([batch.context, batch.gap, batch.target], dim=1)
    truth = in_data_units(batch, following[:, ahead : ahead + steps])
    forecast = in_data_units(batch, point)
    shown = min(steps, 200)
    times = np.arange(-shown + 1, 1, dtype=np.float64)
    nothing = np.zeros(0)
    return [
        Picture(
            f"{_name(task, batch, row, row % channels)}, each step forecast {ahead} steps before",
            nothing,
            nothing,
            times,
            _array(forecast[row, -shown:, row % channels]),
            _array(truth[row, -shown:, row % channels]),
            axis="steps from the end",
        )
        for row in range(rows)
    ]


def _measured(batch: ForecastBatch, values: Tensor, observed: Tensor) -> Tensor:
    """Return values in units of the data, NaN where nothing was observed."""
    return in_data_units(batch, values).masked_fill(~observed, torch.nan)


def _bands(ends: Sequence[Tensor], levels: Sequence[float], row: int, channel: int) -> list[Band]:
    return [
        Band(level, *(_array(end[row, :, channel, place]) for end in ends))
        for place, level in enumerate(levels)
    ]


def _name(task: Forecasting, batch: ForecastBatch, row: int, channel: int) -> str:
    name, channels = series_name(task, batch, row), task.spec["channels"]
    return f"{name}: {channels[channel]}" if len(channels) > 1 else name


def _array(values: Tensor) -> NDArray[np.float64]:
    return values.cpu().double().numpy()
