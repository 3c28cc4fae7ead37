"""Windows that slide over the steps of a part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqforge.data import Windows
from seqforge_tasks.forecasting.series.splits import Bounds
from seqforge_tasks.forecasting.series.window_samples import Integers, Located


class SlidingWindows:
    """All windows of a part whose horizons lie in it; a rolling-origin evaluation, batched.

    Contexts reach back before the part, to the series' beginning at most. Where the part is the
    series' beginning, its first window has a full context, or, of a short series, all but a
    horizon. Cut-offs are counted back from the part's end, so that the newest is always there.

    Args:
        bounds: First step of each series' part (N,), and the first one behind it (N,).
        context: Steps of a context, `L`.
        horizon: Steps of a horizon, `H`.
        lead: Steps from the end of the context to the first of the horizon.
        stride: Steps from one cut-off to the next.

    Attributes:
        counts: Windows of each series (N,).
    """

    def __init__(
        self, bounds: Bounds, context: int, horizon: int, lead: int = 1, stride: int = 1
    ) -> None:
        first, end = bounds
        latest = end - horizon - lead + 1
        reached = np.maximum(first - lead + 1, 1)
        self._earliest = np.where(first > 0, reached, np.clip(latest, 1, context))
        cuts = np.where(end > first, np.maximum(latest - self._earliest + 1, 0), 0)
        self.counts: Integers = -(-cuts // stride)
        self._latest = latest
        self._windows = Windows(cuts, 1, 0, stride, short="skip") if cuts.any() else None

    def __len__(self) -> int:
        return 0 if self._windows is None else len(self._windows)

    def locate(self, numbers: Integers) -> Located:
        """Return where the windows of some numbers (B,) lie."""
        if self._windows is None:
            raise IndexError("there is no window")
        series, offsets = self._windows.locate_many(numbers)
        return Located(series, self._earliest[series] + offsets)

    def latest(self, share: float) -> NDArray[np.bool_]:
        """Return which windows (W,) are the latest, a share of all of them.

        The last windows of all series come first, then the ones before them. Where that leaves a
        choice, series are taken from the last one on.

        Args:
            share: From 0 to 1.
        """
        later = np.concatenate([np.arange(count)[::-1] for count in self.counts.tolist()])
        series = np.repeat(np.arange(len(self.counts)), self.counts)
        order = np.lexsort((-series, later))
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[order[: round(share * len(self))]] = True
        return chosen
