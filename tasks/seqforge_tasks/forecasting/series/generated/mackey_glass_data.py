"""Mackey-Glass series as the data of forecasting."""

from __future__ import annotations

import numpy as np

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.generated.generated_series import (
    GeneratedSplit,
    generated_reading,
    require_amounts,
)
from seqforge_tasks.forecasting.series.generated.mackey_glass import STEPS, mackey_glass
from seqforge_tasks.forecasting.series.options import Amount, Scaling, SeriesOptions
from seqforge_tasks.forecasting.series.series_data import SeriesData, Source


class MackeyGlass(SeriesData):
    """Series of the Mackey-Glass equation, generated where they are needed.

    Args:
        tau: The delay, in points; 17 is mildly chaotic, 30 strongly.
        series: How many series.
        length: Points of each, one a unit of time.
        transient: Points that are left out at the beginning of each.
        squash: Whether points are `tanh(x - 1)`, as in the task of Voelker et al. 2019.
        series_seed: What the beginnings of the series are drawn from.
        context: Steps that a window knows.
        horizon: Steps that it forecasts.
        lead: Steps from the end of the context to the first of the horizon.
        stride: Steps from one training window to the next.
        eval_stride: Steps from one cut-off to the next in validation and test.
        batch_size: Windows in a batch, over all processes together.
        split: What the parts are given in: "series", "fractions", "steps" or "horizons".
        train: Training part: by series, a fraction or a number of them.
        validation: Validation part.
        test: Test part.
        calibration: Share of the validation windows that calibrates intervals and is not scored.
        scaling: "standard", "mean_abs" or "none"; one for all if they are split by series.
        season: Steps of a season, for the seasonal naive forecast.
        carried: Whether training reads series in consecutive chunks of `context` steps with the
            state carried on, and validation and test read each as one window.
        num_workers: Processes that load data, for each training process.
        seed: What the order of windows is drawn from; null: the run's seed.

    Raises:
        UserError: An argument is out of range.
    """

    def __init__(
        self,
        tau: float = 17.0,
        series: int = 32,
        length: int = 1000,
        transient: int = 0,
        squash: bool = False,
        series_seed: int = 0,
        context: int = 128,
        horizon: int = 48,
        lead: int = 1,
        stride: int = 1,
        eval_stride: int = 1,
        batch_size: int = 64,
        split: GeneratedSplit = "series",
        train: Amount = 0.5,
        validation: Amount = 0.25,
        test: Amount = 0.25,
        calibration: float = 0.0,
        scaling: Scaling = "standard",
        season: int = 1,
        carried: bool = False,
        num_workers: int = 0,
        seed: int | None = None,
    ) -> None:
        options = SeriesOptions(
            context=context,
            horizon=horizon,
            lead=lead,
            stride=stride,
            eval_stride=eval_stride,
            split=split,
            train=train,
            validation=validation,
            test=test,
            calibration=calibration,
            scaling=scaling,
            season=season,
            carried=carried,
        )
        super().__init__(options, batch_size, num_workers, seed)
        require_amounts(series, length, transient)
        if round(tau * STEPS) < 1:
            raise UserError(f"tau is {tau}", where="data.tau", todo="give a delay, such as 17")
        self.tau = tau
        self.series = series
        self.length = length
        self.transient = transient
        self.squash = squash
        self.series_seed = series_seed

    def read(self) -> Source:
        """Return the series."""
        values = mackey_glass(self.series, self.length, self.tau, self.series_seed, self.transient)
        values = np.tanh(values - 1) if self.squash else values
        return Source(generated_reading(values[:, :, None], "Mackey-Glass", ("value",)))
