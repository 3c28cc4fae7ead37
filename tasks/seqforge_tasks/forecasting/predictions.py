"""Forecasts of windows as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.forecaster import in_data_units
from seqforge_tasks.forecasting.pictures import level_name

if TYPE_CHECKING:
    from seqforge_tasks.forecasting.task import Forecasting


def predictions(task: Forecasting, batch: ForecastBatch) -> list[dict[str, object]]:
    """Return each window's forecast in the units of the data.

    Args:
        task: A built task.
        batch: `B` windows; their targets are returned beside, and not read.

    Returns:
        For each window its series' name, the steps before its cut-off, and lists of `H` numbers:
        the forecast, the ends of intervals, and the truth, None where it is missing. Of several
        channels each number is a list of `K`.
    """
    predictive = task.predictive(batch, task.spec["horizon"])
    columns = {"forecast": in_data_units(batch, predictive.point())}
    if levels := task.measured_levels:
        low, high = (in_data_units(batch, end) for end in task.intervals(predictive, levels))
        for place, level in enumerate(levels):
            columns[f"lo-{level_name(level)}"] = low[..., place]
            columns[f"hi-{level_name(level)}"] = high[..., place]
    truth = in_data_units(batch, batch.target)
    return [
        {
            "series": series_name(task, batch, row),
            "cut": int(batch.cuts[row]),
            **{name: _listed(values[row]) for name, values in columns.items()},
            "truth": _listed(truth[row], batch.target_observed[row]),
        }
        for row in range(len(batch.ids))
    ]


def series_name(task: Forecasting, batch: ForecastBatch, row: int) -> str:
    """Return the name of a window's series, or its number where training has not known it.

    Args:
        task: A built task.
        batch: Windows.
        row: Which of them.
    """
    known = int(batch.categories[row, 0])
    if known:
        return str(task.spec["categories"]["series"][known - 1])
    return f"series {int(batch.series[row]) + 1}"


def _listed(values: Tensor, observed: Tensor | None = None) -> list[object]:
    """Return `(H, K)` values as lists; of a single channel, as one list."""
    cells: list[list[object]] = values.tolist()
    if observed is not None:
        cells = [
            [cell if seen else None for cell, seen in zip(*both, strict=True)]
            for both in zip(cells, observed.tolist(), strict=True)
        ]
    return [step[0] for step in cells] if values.size(1) == 1 else list(cells)
