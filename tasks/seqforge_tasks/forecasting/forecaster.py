"""Series in, forecasts out: what comes behind the end of each series."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqforge.errors import UserError
from seqforge_tasks.forecasting.asked import asked_horizon, asked_levels
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.forecasting_options import ForecastingOptions
from seqforge_tasks.forecasting.input_series import InputSeries
from seqforge_tasks.forecasting.inputs import in_words_of_options, input_layout, like_training
from seqforge_tasks.forecasting.pictures import context_shown
from seqforge_tasks.forecasting.series.encoding import Encoding
from seqforge_tasks.forecasting.series.reading import Reading, panel_from_frame
from seqforge_tasks.forecasting.tables import STEP, SeriesForecast, as_frame

if TYPE_CHECKING:
    from seqforge_tasks.forecasting.task import Forecasting


class Forecaster:
    """Forecasts series beyond their ends with a trained network.

    Args:
        task: A built task; where it is in training, a copy of it that is not does the work.
        options: What is forecast, and how.

    Raises:
        UserError: The network has no such horizon or intervals.
    """

    def __init__(self, task: Forecasting, options: ForecastingOptions) -> None:
        self.horizon = asked_horizon(task, options)
        self.levels = asked_levels(task, options)
        self.spec = task.spec
        self.options = options
        self._task = copy.deepcopy(task).eval() if task.training else task
        self._encoding = Encoding.from_spec(task.spec["encoding"])

    def forecast_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return forecasts as a frame of the form of the one given: wide or long.

        Dates stay where they were, in a column or in the index.

        Args:
            frame: Series, and their covariates.

        Raises:
            UserError: The frame cannot be read, or a series cannot be forecast.
        """
        _require_frame(frame)
        layout = replace(input_layout(self.spec, self.options), name="frame")
        with in_words_of_options():
            reading = panel_from_frame(frame, layout)
        like_training(reading, self.spec)
        made = as_frame(list(self.forecast(reading)), reading.layout)
        time = reading.layout.date
        if time is not None:
            made[time] = _in_zone_of(frame, time, made[time])
        columns = _index_columns(frame)
        moved = [each for each in columns if each in made.columns and each not in frame.columns]
        if moved:
            made = made.set_index(moved)
            made.index.names = [columns[each] for each in moved]
            return made
        if STEP in made.columns and STEP not in frame.columns and reading.layout.kind == "wide":
            index, steps = frame.index, made.pop(STEP)
            first, step = (index.start, index.step) if isinstance(index, pd.RangeIndex) else (0, 1)
            made.index = pd.Index(first + (steps.to_numpy() - 1) * step, name=index.name)
        return made

    def forecast(self, reading: Reading) -> Iterator[SeriesForecast]:
        """Yield the forecast of each series in order.

        Args:
            reading: Series as they were read.

        Raises:
            UserError: A series has no value, or covariates are missing where they are needed.
        """
        panel = reading.panel
        given = InputSeries(reading, self._encoding.encode(panel, horizon=self._steps))
        lead: int = self.spec["lead"]
        given.require_values(self.spec["context"])
        given.require_future(lead, self._steps)
        for first in range(0, len(panel), self.options.batch_size):
            series = np.arange(first, min(first + self.options.batch_size, len(panel)))
            point, low, high = self._forecast_some(given, series)
            for row, number in enumerate(series.tolist()):
                history = int(panel.history[number])
                past = panel.target(number)[-context_shown(self.horizon) :]
                yield SeriesForecast(
                    panel.names[number],
                    panel.channels,
                    given.times(number, history + lead - 1, self.horizon),
                    point[row],
                    low[row],
                    high[row],
                    self.levels,
                    given.times(number, history - len(past), len(past)),
                    past,
                )

    @torch.inference_mode()
    def _forecast_some(
        self, given: InputSeries, series: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], ...]:
        """Return forecasts (B, H, K) and bounds of intervals (B, H, K, N), in units of the data."""
        cuts = given.panel.history[series]
        # With states that are carried, a context is all that came before.
        lengths = cuts if self.spec["carried"] else None
        batch = given.encoded.batch(series, series, cuts, lengths=lengths)
        batch = batch.to(next(self._task.parameters()).device)
        predictive = self._task.predictive(batch, self._steps)
        point = predictive.point()
        low, high = point.new_zeros(2, *point.shape, 0).unbind()
        if self.levels:
            low, high = self._task.intervals(predictive, self.levels)
        location, scale = (each[series][:, None] for each in given.encoded.scales)  # (B, 1, K)
        values = [each[:, : self.horizon].cpu().double().numpy() for each in (point, low, high)]
        return (
            values[0] * scale + location,
            *(each * scale[..., None] + location[..., None] for each in values[1:]),
        )

    @property
    def _steps(self) -> int:
        """Steps that the network forecasts: no fewer than trained, unless it goes step by step."""
        trained: int = self.spec["horizon"]
        return self.horizon if self._task.network.mode.any_horizon else trained


def _require_frame(frame: object) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise UserError(
            f"a {type(frame).__name__}, not a frame",
            where="frame",
            todo="give a pandas DataFrame; a Series by its to_frame()",
        )


def _index_columns(frame: pd.DataFrame) -> dict[str, Hashable]:
    """Return an index's names by those they have as columns; one without a name is of dates."""
    return {"date" if name is None else str(name): name for name in frame.index.names}


def _in_zone_of(frame: pd.DataFrame, time: str, dates: pd.Series) -> pd.Series:
    """Return dates with the time zone that a frame's have, where reading kept their days alone."""
    columns = _index_columns(frame)
    given: pd.Series | pd.Index | None = frame.get(time)
    if given is None and time in columns:
        given = frame.index.get_level_values(list(columns).index(time))
    zone = getattr(getattr(given, "dtype", None), "tz", None)
    if zone is None or dates.dt.tz is not None:
        return dates
    # A midnight that the clock skips is the moment after it; one that comes twice, the first.
    zoned: pd.Series = dates.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return zoned


def in_data_units(batch: ForecastBatch, values: Tensor) -> Tensor:
    """Return values of a batch's targets in the units of the data, in float64 where there is any.

    Args:
        batch: Windows.
        values: `(B, H, K)` or `(B, H, K, N)`, in the scale of the network.
    """
    precise = torch.float32 if values.device.type == "mps" else torch.float64
    shape = (len(values), 1, values.size(2), *[1] * (values.dim() - 3))
    scale, location = (each.to(precise).view(shape) for each in (batch.scale, batch.location))
    return values.to(precise) * scale + location
