"""Whole series, with the state carried on: chunks to train on, one window each to measure."""

from __future__ import annotations

import numpy as np

from seqforge.data import LanePlan
from seqforge_tasks.forecasting.series.splits import Bounds
from seqforge_tasks.forecasting.series.window_samples import Integers, Located


class SeriesChunks:
    """Consecutive chunks of each series' part, in lanes.

    Chunk after chunk of one series follows in a lane, then those of another. There are no more
    lanes than series, since the state begins anew where a lane does. What is left of a part behind
    its last whole chunk is left out.

    Args:
        bounds: First step of each series' part (N,), and the first one behind it (N,).
        context: Steps of a chunk, `L`.
        horizon: Steps of a horizon, `H`.
        lead: Steps from a cut-off to the first of its horizon.
        lanes: Rows of every batch, at most.

    Attributes:
        counts: Chunks of each series (N,).
    """

    def __init__(self, bounds: Bounds, context: int, horizon: int, lead: int, lanes: int) -> None:
        first, end = bounds
        self.counts: Integers = np.maximum((end - first - horizon - lead + 1) // context, 0)
        self._first = first
        self._context = context
        self._before = np.concatenate([[0], np.cumsum(self.counts)])
        total = int(self._before[-1])
        self._lanes = max(min(lanes, int((self.counts > 0).sum())), 1)
        # All lanes are equally long: at most one chunk less than there are lanes is left out.
        self._in_lane = total // self._lanes

    def __len__(self) -> int:
        return self._lanes * self._in_lane

    def plan(self) -> LanePlan:
        """Return the plan that reads all lanes side by side."""
        return LanePlan(self._lanes, self._in_lane)

    def locate(self, numbers: Integers) -> Located:
        """Return where the chunks of some numbers (B,) lie."""
        series = np.searchsorted(self._before, numbers, side="right") - 1
        within = numbers - self._before[series]
        cuts = self._first[series] + (within + 1) * self._context
        starts = (within == 0) | (numbers % self._in_lane == 0)
        return Located(series, cuts, np.full_like(cuts, self._context), starts)


class WholeParts:
    """Each series' part as one window, read from its first step on a fresh state.

    Args:
        bounds: First step of each series' part (N,), and the first one behind it (N,).
        horizon: Steps of a horizon, `H`.
        lead: Steps from a cut-off to the first of its horizon.

    Attributes:
        counts: Windows of each series (N,): 1, or 0 where the part is too short.
        alike: Whether all windows are equally long.
    """

    def __init__(self, bounds: Bounds, horizon: int, lead: int) -> None:
        first, end = bounds
        lengths = end - horizon - lead + 1 - first
        self._series = np.flatnonzero(lengths > 0)
        self._lengths = lengths[self._series]
        self._cuts = (first + lengths)[self._series]
        self.counts: Integers = (lengths > 0).astype(np.int64)
        self.alike = len(np.unique(self._lengths)) < 2

    def __len__(self) -> int:
        return len(self._series)

    def locate(self, numbers: Integers) -> Located:
        """Return where the windows of some numbers (B,) lie."""
        fresh = np.ones(len(numbers), dtype=np.bool_)
        return Located(self._series[numbers], self._cuts[numbers], self._lengths[numbers], fresh)
