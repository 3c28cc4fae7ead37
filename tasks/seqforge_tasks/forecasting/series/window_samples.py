"""Which windows a part of the data has, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from seqforge_tasks.forecasting.baselines.naive2 import naive2
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.series.encoded_panel import EncodedPanel

Integers = NDArray[np.int64]


class Located(NamedTuple):
    """Where some windows lie.

    Attributes:
        series: The series of each (B,).
        cuts: Steps of the series before its cut-off (B,).
        lengths: Steps of its context (B,); None: as many as there are, at most the usual ones.
        starts: Whether a carried state is reset before it (B,), bool; None: nothing is carried.
    """

    series: Integers
    cuts: Integers
    lengths: Integers | None = None
    starts: NDArray[np.bool_] | None = None


class Cutting(Protocol):
    """How a part is cut into windows, which have numbers from 0."""

    def __len__(self) -> int: ...

    def locate(self, numbers: Integers) -> Located:
        """Return where the windows of some numbers (B,) lie."""
        ...


class WindowSamples:
    """The windows of a part as samples: nothing but their numbers, since `collate` does the rest.

    Args:
        panel: The series.
        cutting: How they are cut.
        references: Whether the seasonal naive forecast goes with each window.
        calibrates: Windows that calibrate intervals and are not scored (W,), bool; None: none do.
        adjusted: Whether M4's Naive2 forecast goes with each window.
    """

    def __init__(
        self,
        panel: EncodedPanel,
        cutting: Cutting,
        references: bool = False,
        calibrates: NDArray[np.bool_] | None = None,
        adjusted: bool = False,
    ) -> None:
        self.panel = panel
        self.cutting = cutting
        self.references = references
        self.calibrates = calibrates
        self.adjusted = adjusted

    def __len__(self) -> int:
        return len(self.cutting)

    def __getitem__(self, number: int) -> int:
        return number

    def collate(self, numbers: Sequence[int], samples: Sequence[int]) -> ForecastBatch:
        """Return windows as a batch.

        Args:
            numbers: What they are called (B,), see `Batch.ids`.
            samples: Their numbers (B,).
        """
        chosen = np.array(samples, dtype=np.int64)
        series, cuts, lengths, starts = self.cutting.locate(chosen)
        batch = self.panel.batch(numbers, series, cuts, self.references, lengths)
        if starts is not None:
            batch.starts = torch.from_numpy(starts)
        if self.calibrates is not None:
            batch.calibration = torch.from_numpy(self.calibrates[chosen])
        return with_naive2(batch, self.panel) if self.adjusted else batch


def with_naive2(batch: ForecastBatch, panel: EncodedPanel) -> ForecastBatch:
    """Return a batch with M4's Naive2 forecast, made of each series' whole history, one by one.

    Args:
        batch: Windows.
        panel: The series they are cut from.
    """
    skipped, horizon = panel.lead - 1, panel.horizon
    forecasts = np.empty((len(batch.series), horizon, panel.values.shape[1]))
    for row, (series, cut) in enumerate(
        zip(batch.series.tolist(), batch.cuts.tolist(), strict=True)
    ):
        history = panel.data_values(series, cut)
        location, scale = (each[series] for each in panel.scales)
        for channel in range(history.shape[1]):
            ahead = naive2(history[:, channel], skipped + horizon, panel.season)[skipped:]
            forecasts[row, :, channel] = (ahead - location[channel]) / scale[channel]
    # NaN where nothing was observed, and 0 as everywhere else.
    return replace(batch, naive2=torch.from_numpy(np.nan_to_num(forecasts).astype(np.float32)))
