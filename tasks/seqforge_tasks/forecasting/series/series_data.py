"""What data modules of series share, wherever the series come from."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning.trainer.states import TrainerFn

from seqforge.data import DataModule, PlanLoader, SequentialPlan, ShuffledPlan
from seqforge.errors import UserError
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.series.chunks import SeriesChunks, WholeParts
from seqforge_tasks.forecasting.series.describing import describe
from seqforge_tasks.forecasting.series.encoded_panel import EncodedPanel
from seqforge_tasks.forecasting.series.encoding import Encoding
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.reading import Reading
from seqforge_tasks.forecasting.series.scaling import seasonal_error
from seqforge_tasks.forecasting.series.sliding import SlidingWindows
from seqforge_tasks.forecasting.series.splits import Bounds, Parts, split_series
from seqforge_tasks.forecasting.series.window_samples import WindowSamples

FITTED = 100_000
"""Training windows from which a linear baseline is solved, at most."""


class Source(NamedTuple):
    """Series as a data module reads them.

    Attributes:
        reading: The series.
        tested: Last steps of each series (N,) that are the test part; None: the split says.
    """

    reading: Reading
    tested: NDArray[np.int64] | None = None


class SeriesData(DataModule):
    """Series, split into three parts and cut into windows.

    A subclass says where the series come from. All that is learnt of them, above all their scale,
    is learnt of the training part, once: it stays as it is for every later cut-off in validation
    and test, where windows only know more of the past.

    Args:
        options: How series are split, scaled and cut.
        batch_size: Windows in a batch, over all processes together.
        num_workers: Processes that load data, for each training process.
        seed: What the order of windows is drawn from; None: the run's seed.
        layout: What a user says of the columns; kept for series to be forecast later.

    Raises:
        UserError: `batch_size` is below 1.

    Attributes:
        panel: The series in the scale of the network, after `setup`.
    """

    def __init__(
        self,
        options: SeriesOptions,
        batch_size: int = 64,
        num_workers: int = 0,
        seed: int | None = None,
        layout: Layout | None = None,
    ) -> None:
        super().__init__(batch_size=batch_size, num_workers=num_workers, seed=seed)
        if batch_size < 1:
            raise UserError(
                f"batch_size is {batch_size}", where="data.batch_size", todo="give at least 1"
            )
        self.options = options
        self.layout = layout or Layout()
        self.panel: EncodedPanel | None = None
        self._test_panel: EncodedPanel | None = None
        self._encoding: Encoding | None = None
        self._parts: Parts | None = None
        self._read_notes: tuple[str, ...] = ()
        self._checksum: int | None = None

    def read(self) -> Source:
        """Return the series.

        Raises:
            UserError: They cannot be read.
        """
        raise NotImplementedError(f"{type(self).__name__} must define read()")

    def adopt(self, spec: Mapping[str, Any]) -> None:
        """Encode series as a checkpoint does: its scales, categories, context and horizon count.

        Series that it does not know get their scale from the part of them that comes before
        validation and test.
        """
        self._encoding = Encoding.from_spec(spec["encoding"])
        self.options = replace(
            self.options,
            context=spec["context"],
            horizon=spec["horizon"],
            lead=spec["lead"],
            carried=spec["carried"],
        )

    def setup(self, stage: str) -> None:
        """Read, split and encode the series; every process does so, and only once."""
        if self.panel is not None:
            return
        reading, tested = self.read()
        panel = reading.panel
        parts = split_series(
            panel, self.options, np.zeros_like(panel.history) if tested is None else tested
        )
        ends = parts.train[1]
        if stage == "fit" or self._encoding is None:
            counts = self._training_cut(parts.train).counts
            _require_windows(counts, self.options, ends)
            ends = np.where(counts > 0, ends, 0)
        if self._encoding is None:
            self._encoding = Encoding.fit(panel, ends, self.options)
        self.panel = self._encoding.encode(panel, parts.train[1])
        if self.options.carried:
            _require_complete(self.panel)
        self._parts = parts
        self._checksum = _checksum(self.panel, parts.train[1])
        self._test_panel = self.panel
        if self.options.split != "series":
            # The test's denominator of MASE is that of all steps before it, as M4 defines it.
            error = seasonal_error(panel, parts.test[0], self._encoding.season)
            scaled = (error / self.panel.scales.scale).astype(np.float32)
            self._test_panel = replace(self.panel, naive_error=scaled)
        self._read_notes = reading.notes

    def spec(self) -> dict[str, Any]:
        """Return the names and sizes of what windows hold, the encoding, and the layout.

        Of the calibration it says how many windows there are.
        """
        _, encoding, parts = self._ready()
        calibrates = self._calibrates(self._measured_cut(parts.validation))
        return {
            "channels": list(encoding.channels),
            "context": encoding.context,
            "horizon": encoding.horizon,
            "lead": encoding.lead,
            "past": list(encoding.past),
            "known": list(encoding.known_features),
            "static": list(encoding.static),
            "categories": {key: list(each) for key, each in encoding.categories.items()},
            "season": encoding.season,
            "frequency": encoding.frequency,
            "missing": encoding.missing,
            "carried": self.options.carried,
            "calibration": 0 if calibrates is None else int(calibrates.sum()),
            "encoding": encoding.to_spec(),
            "layout": self.layout.to_spec(),
        }

    def notes(self) -> Sequence[str]:
        """Return lines on the series, the parts, and what was done to either."""
        if self.panel is None or self._parts is None:
            return ()
        counts = {
            "train": self._training_cut(self._parts.train).counts,
            "validation": self._measured_cut(self._parts.validation).counts,
            "test": self._measured_cut(self._parts.test).counts,
        }
        return (*describe(self.panel, self._parts, counts), *self._read_notes)

    def training_windows(self, limit: int = FITTED) -> Iterator[ForecastBatch]:
        """Yield the training windows in the order of their cut-offs, in batches of 256.

        Args:
            limit: How many at most: of more, some at even distances.
        """
        panel, _, parts = self._ready()
        cutting = self._training_cut(parts.train)
        total = len(cutting)
        numbers = np.arange(total) if total <= limit else np.arange(limit) * total // limit
        numbers = numbers[np.argsort(cutting.locate(numbers).cuts, kind="stable")]
        samples = WindowSamples(panel, cutting)
        for first in range(0, len(numbers), 256):
            chosen = numbers[first : first + 256].tolist()
            yield samples.collate(chosen, chosen)

    def train_dataloader(self) -> PlanLoader[int]:
        """Return the loader of the training windows."""
        panel, _, parts = self._ready()
        cutting = self._training_cut(parts.train)
        samples = WindowSamples(panel, cutting)
        if isinstance(cutting, SeriesChunks):
            return self.train_loader(samples, cutting.plan(), samples.collate)
        plan = ShuffledPlan(len(samples), self.batch_size, self.seed)
        return self.train_loader(samples, plan, samples.collate)

    def val_dataloader(self) -> dict[str, PlanLoader[int]]:
        """Return the loader "validation"; none if there is no such part."""
        panel, _, parts = self._ready()
        cutting = self._measured_cut(parts.validation)
        return self._evaluation("validation", panel, cutting, self._calibrates(cutting))

    def test_dataloader(self) -> dict[str, PlanLoader[int]]:
        """Return the loader "test", or that of validation if there is no such part."""
        panel, _, parts = self._ready()
        panel = self._test_panel or panel
        cutting = self._measured_cut(parts.test)
        return self._evaluation("test", panel, cutting, None) or self.val_dataloader()

    def state_dict(self) -> dict[str, Any]:
        """Return the position in the training data, and the checksum of the training part."""
        series = {} if self._checksum is None else {"series": self._checksum}
        return super().state_dict() | series

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the position of a checkpoint.

        Raises:
            UserError: A run would go on with other series than it was trained on.
        """
        position = dict(state_dict)
        series = position.pop("series", None)
        fitting = self.trainer is not None and self.trainer.state.fn == TrainerFn.FITTING
        if fitting and self._checksum is not None and series not in (None, self._checksum):
            raise UserError(
                "the training part of the series is not the one that the run was trained on",
                where="data",
                todo="give the series back as they were, or start a new run",
            )
        super().load_state_dict(position)

    def _evaluation(
        self,
        name: str,
        panel: EncodedPanel,
        cutting: SlidingWindows | WholeParts,
        calibrates: NDArray[np.bool_] | None,
    ) -> dict[str, PlanLoader[int]]:
        if not len(cutting):
            return {}
        samples = WindowSamples(panel, cutting, True, calibrates, self.options.naive2)
        # Whole series of different lengths would be padded, and none of their steps may be.
        alone = isinstance(cutting, WholeParts) and not cutting.alike
        plan = SequentialPlan(len(samples), 1 if alone else self.batch_size)
        return {name: self.eval_loader(samples, plan, samples.collate)}

    def _training_cut(self, bounds: Bounds) -> SlidingWindows | SeriesChunks:
        chosen = self.options
        sizes = (chosen.context, chosen.horizon, chosen.lead)
        if chosen.carried:
            return SeriesChunks(bounds, *sizes, self.batch_size)
        return SlidingWindows(bounds, *sizes, chosen.stride)

    def _measured_cut(self, bounds: Bounds) -> SlidingWindows | WholeParts:
        chosen = self.options
        if chosen.carried:
            return WholeParts(bounds, chosen.horizon, chosen.lead)
        return SlidingWindows(
            bounds, chosen.context, chosen.horizon, chosen.lead, chosen.eval_stride
        )

    def _calibrates(self, cutting: SlidingWindows | WholeParts) -> NDArray[np.bool_] | None:
        """Return which windows of validation (W,) calibrate; None: calibration is not asked for."""
        if self.options.calibration and isinstance(cutting, SlidingWindows) and len(cutting):
            return cutting.latest(self.options.calibration)
        return None

    def _ready(self) -> tuple[EncodedPanel, Encoding, Parts]:
        if self.panel is None or self._encoding is None or self._parts is None:
            raise RuntimeError("setup() comes before spec() and the loaders")
        return self.panel, self._encoding, self._parts


def _require_windows(
    counts: NDArray[np.int64], options: SeriesOptions, ends: NDArray[np.int64]
) -> None:
    if counts.any():
        return
    steps = options.horizon + options.lead - 1 + (options.context if options.carried else 1)
    raise UserError(
        f"the longest training part has {int(ends.max(initial=0)):,} steps, and a window takes at "
        f"least {steps:,}",
        where="data.horizon, data.train",
        todo="forecast fewer steps, or give more of them to training",
    )


def _require_complete(panel: EncodedPanel) -> None:
    if panel.observed is None:
        return
    for series, first in enumerate(panel.offsets[:-1].tolist()):
        seen = panel.observed[first : first + int(panel.history[series])].all(axis=1)
        if not seen.all():
            raise UserError(
                f"the series '{panel.names[series]}' has no value at step {int(seen.argmin()) + 1}",
                where="data.carried",
                todo="give complete series, or leave out carried, which takes every step for a "
                "cut-off",
            )


def _checksum(panel: EncodedPanel, ends: NDArray[np.int64]) -> int:
    """Return a number that depends on every value of the training parts."""
    checksum = 0
    for first, count in zip(panel.offsets[:-1].tolist(), ends.tolist(), strict=True):
        checksum = zlib.crc32(panel.values[first : first + count].tobytes(), checksum)
    return checksum
