"""Forecasting of time series by a recurrent encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from seqforge.data import Batch, DataModule
from seqforge.encoders import EncoderFactory
from seqforge.errors import UserError
from seqforge.state import State
from seqforge.task import Loss, Output, Preview, Progress, Source, Spec, Task, Term
from seqforge_tasks.forecasting.answers import answer
from seqforge_tasks.forecasting.baselines.linear import LinearBaseline
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.conformal import ConformalIntervals, require_windows
from seqforge_tasks.forecasting.every_step import every_window
from seqforge_tasks.forecasting.forecaster import Forecaster
from seqforge_tasks.forecasting.forecasting_options import ForecastingOptions, require_valid
from seqforge_tasks.forecasting.heads.base import Predictive
from seqforge_tasks.forecasting.heads.kinds import HeadKind, PointLoss, make_head
from seqforge_tasks.forecasting.intervals import bounds
from seqforge_tasks.forecasting.modes.kinds import ModeKind, ModeOptions
from seqforge_tasks.forecasting.network import ForecastNetwork
from seqforge_tasks.forecasting.normalisation import Normalisation
from seqforge_tasks.forecasting.predictions import predictions
from seqforge_tasks.forecasting.previews import previews, table_lines
from seqforge_tasks.forecasting.scores import ForecastTable, Units
from seqforge_tasks.forecasting.series.series_data import SeriesData

if TYPE_CHECKING:
    import pandas as pd


BASELINE_WIDTH = 128
"""Steps that the linear baseline reads where states are carried."""


class Forecasting(Task):
    """Learns to forecast one or many time series, in float32.

    Args:
        mode: "direct": the whole horizon from the encoder's last output; "recursive": step after
            step, any horizon; "segments": several steps at a time, decoded at once (SegRNN).
        normalisation: Of each window, by its context: "none", "last" (value subtracted), "mean",
            "standard" (mean and deviation, reversible instance normalisation).
        head: "point", "quantile", "gaussian" or "student_t".
        error: Of a point forecast: "mse", "mae", "mixed" (the mean of the two) or "huber". The
            others are trained by pinball loss and likelihood.
        quantiles: Levels of a quantile head, in increasing order.
        segment: Steps of a segment.
        embedding_size: Width of an embedded segment.
        dropout: Probability that a feature is dropped before the head in training.
        every_step: Whether every step of the context is trained as a cut-off of its own.
        identity: Width of a learnt vector for each series; 0: series are not told apart.
        conformal: Whether intervals are widened or narrowed until they cover the calibration part
            as often as they say.
        levels: Intervals that are measured and shown, in percent.
        units: Of the measures: those of the "data", or "scaled" as the network sees them.
        paths: Sample paths of a recursive forecast with a spread.

    Raises:
        UserError: An argument is out of range.
    """

    monitor: ClassVar[tuple[str, str]] = ("val/loss", "min")
    options: ClassVar[type] = ForecastingOptions
    example: str = "-i series.csv --plot forecast.png"
    full_precision: ClassVar[bool] = True

    def __init__(
        self,
        mode: ModeKind = "segments",
        normalisation: Normalisation = "last",
        head: HeadKind = "point",
        error: PointLoss = "mse",
        quantiles: Sequence[float] = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975),
        segment: int = 24,
        embedding_size: int = 128,
        dropout: float = 0.0,
        every_step: bool = False,
        identity: int = 0,
        conformal: bool = False,
        levels: Sequence[float] = (80.0, 95.0),
        units: Units = "data",
        paths: int = 100,
    ) -> None:
        super().__init__()
        self.mode: ModeKind = mode
        self.normalisation: Normalisation = normalisation
        self.head: HeadKind = head
        self.error: PointLoss = error
        self.quantiles = list(quantiles)
        self.segment = segment
        self.embedding_size = embedding_size
        self.dropout = dropout
        self.every_step = every_step
        self.identity = identity
        self.conformal = conformal
        self.levels = sorted(levels)
        self.units: Units = units
        self.paths = paths
        _require_arguments(self)

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        """Make the network for the spec's channels, context and horizon.

        Raises:
            UserError: What the task is to do does not fit the data.
        """
        self.spec = spec
        options = ModeOptions(
            self.dropout, self.segment, self.embedding_size, self.every_step, self.paths
        )
        self.network = ForecastNetwork(
            encoders,
            spec,
            make_head(self.head, self.error, self.quantiles),
            self.mode,
            options,
            self.normalisation,
            self.identity,
        )
        # Where a state is carried, the context is as long as a series: the baseline reads its end.
        self.width = min(spec["context"], BASELINE_WIDTH) if spec["carried"] else spec["context"]
        self.linear = LinearBaseline(self.width, spec["horizon"])
        self.correction = ConformalIntervals(self.levels, spec["horizon"])
        if self.conformal:
            require_windows(self.levels, spec["calibration"])
        self.table = ForecastTable(self.units, self.measured_levels)

    def prepare(self, data: DataModule) -> None:
        """Solve the linear baseline on the training windows."""
        if isinstance(data, SeriesData):
            self.linear.fit(lambda: map(self._windows, data.training_windows()))

    def start(self, batch_size: int) -> State:
        """Return the state in which a series begins, where chunks of it follow each other."""
        return self.network.mode.start(batch_size) if self.spec["carried"] else None

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        """Return the head's loss of all observed values; calibration windows do not count."""
        assert isinstance(batch, ForecastBatch)
        batch = _scored(batch)
        if self.training or self.spec["carried"]:
            taught = self.network.taught(batch, state)
        else:
            taught = self.network.tested(batch)
        losses = taught.predictive.loss(taught.target) * taught.observed
        carried = taught.state if self.spec["carried"] else None
        return Loss({"loss": Term(losses.sum(), taught.observed.sum())}, carried)

    def evaluate(self, batch: Batch) -> None:
        """Forecast a batch freely; score it beside the baselines, or calibrate by it."""
        assert isinstance(batch, ForecastBatch)
        windows = self._windows(batch)
        predictive = self.predictive(batch)
        if self.conformal and batch.calibration is not None:
            low, high = bounds(predictive, self.levels)
            calibrates = batch.calibration.view(-1, 1, 1) & batch.target_observed
            self.correction.update(low, high, batch.target, calibrates)
        levels = self.measured_levels
        intervals = self.intervals(predictive, levels) if levels else None
        self.table.update(_scored(windows), predictive, intervals, self.linear(windows))

    def finish_evaluation(self) -> dict[str, float]:
        """Return the measures of the network and of the baselines; calibrate the intervals.

        Intervals in the measures are corrected by the calibration of the pass before.
        """
        if self.conformal:
            self.correction.finish()
        return self.table.finish()

    def remarks(self) -> list[str]:
        """Return the table of the network beside the baselines, and which of them are better."""
        return [*table_lines(self.table.table()), *self.notes()]

    def notes(self) -> list[str]:
        """Return what to know of the last pass: its measures, and the calibration."""
        return [*self.table.notes(), *self.correction.notes()]

    def preview(self, batch: Batch) -> list[Preview]:
        """Return the table of measures, and a picture of a few windows."""
        assert isinstance(batch, ForecastBatch)
        return previews(self, batch)

    def predict(self, batch: Batch) -> list[dict[str, object]]:
        """Return each window's forecast, in the units of the data."""
        assert isinstance(batch, ForecastBatch)
        return predictions(self, batch)

    def infer(self, inputs: Iterable[Source], options: ForecastingOptions) -> Iterator[Output]:
        """Forecast beyond the end of each series.

        Raises:
            UserError: An option is out of range, or an input cannot be read or forecast.
        """
        require_valid(options)
        return answer(self, inputs, options)

    def forecast(
        self, frame: pd.DataFrame, options: ForecastingOptions | None = None
    ) -> pd.DataFrame:
        """Forecast beyond the end of each series of a frame; return a frame of the same form.

        Args:
            frame: Series as columns, or long as the data were in training.
            options: As for `infer`.

        Raises:
            UserError: As `infer`.
        """
        chosen = options or ForecastingOptions()
        require_valid(chosen)
        return Forecaster(self, chosen).forecast_frame(frame)

    def predictive(self, batch: ForecastBatch, horizon: int | None = None) -> Predictive:
        """Return the free forecast of `(B, H, K)` values, in the scale of the data module.

        With `data.carried`, those from every step of each series: `(B * L, H, K)`.

        Args:
            batch: Windows; their targets are not read.
            horizon: `H`; None: the trained one.

        Raises:
            UserError: The mode cannot forecast that horizon.
        """
        if self.spec["carried"] and horizon is None:
            return self.network.every_forecast(batch)
        return self.network.forecast(batch, horizon)

    def intervals(self, predictive: Predictive, levels: Sequence[float]) -> tuple[Tensor, Tensor]:
        """Return the bounds `(B, H, K, N)` of central intervals, corrected where calibrated.

        Args:
            predictive: What is forecast.
            levels: `N` levels in percent; calibrated ones only, if intervals are calibrated.
        """
        low, high = bounds(predictive, levels)
        if not self.conformal:
            return low, high
        chosen = [self.levels.index(level) for level in levels]
        return self.correction.corrected(low, high, chosen)

    @property
    def measured_levels(self) -> list[float]:
        """The levels of intervals that the checkpoint has, in percent; none for plain points."""
        return self.levels if self.conformal or self.network.head.spreads else []

    def _windows(self, batch: ForecastBatch) -> ForecastBatch:
        """Return the windows that are forecast from a batch: with carried states, every step's."""
        if not self.spec["carried"]:
            return batch
        return every_window(batch, self.width, self.spec["season"], self.spec["lead"])


def _scored(batch: ForecastBatch) -> ForecastBatch:
    """Return a batch in which calibration windows have no target."""
    if batch.calibration is None:
        return batch
    kept = ~batch.calibration.view(-1, 1, 1)
    return replace(batch, target_observed=batch.target_observed & kept)


def _require_arguments(task: Forecasting) -> None:
    rising = all(one < other for one, other in pairwise(task.quantiles))
    within = all(0 < level < 1 for level in task.quantiles)
    ranges = {
        "quantiles": (bool(task.quantiles) and rising and within, "give rising numbers in (0, 1)"),
        "segment": (task.segment >= 1, "give at least 1"),
        "embedding_size": (task.embedding_size >= 1, "give at least 1"),
        "dropout": (0 <= task.dropout < 1, "give a number from 0 up, below 1"),
        "identity": (task.identity >= 0, "give a width, or 0 for none"),
        "levels": (
            all(1 <= level < 100 for level in task.levels),
            "give percents, 1 or more and below 100, such as 80",
        ),
        "paths": (task.paths >= 2, "give at least 2; 100 is usual"),
    }
    for name, (right, todo) in ranges.items():
        if not right:
            given = f"{name} is {getattr(task, name)}"
            raise UserError(given, where=f"model.task.{name}", todo=todo)
