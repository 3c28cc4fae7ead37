"""Which training windows a choice is made by: the last ones."""

from __future__ import annotations

import torch
from torch import Tensor

SHARE = 0.1
"""Share of training that is held out."""


class Holdout:
    """Parts training windows into early ones, late ones, and those whose targets reach over.

    The late ones are the last tenth of each series' cut-offs. Where all cut-offs of a series are
    too near to each other for that, as where whole series are read at once, they are all windows of
    the last tenth of the series. Of a single series that is too short none are early, or none late.

    Args:
        horizon: `H`, steps of a target.
    """

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self._first = self._last = torch.empty(0, dtype=torch.int64)
        self._windows: Tensor = self._first  # of each series
        self._limits: Tensor = self._first
        self._by_series = 0

    def see(self, series: Tensor, cuts: Tensor) -> None:
        """Take note of windows; each comes here once before `close`.

        Args:
            series: Their series `(B,)`, int64.
            cuts: Their cut-offs `(B,)`, int64.
        """
        if not len(series):
            return
        series, cuts = series.cpu(), cuts.cpu()
        more = int(series.max()) + 1 - len(self._first)
        if more > 0:
            far = torch.iinfo(torch.int64).max
            self._first = torch.cat([self._first, torch.full((more,), far)])
            self._last = torch.cat([self._last, torch.full((more,), -1)])
        self._first.scatter_reduce_(0, series, cuts, "amin")
        self._last.scatter_reduce_(0, series, cuts, "amax")

    def close(self) -> None:
        """Decide where to part them."""
        known = (self._last >= 0).nonzero()[:, 0]
        span = (self._last - self._first).clamp(min=0)
        self._limits = self._first + ((1 - SHARE) * span).long()
        room = (self._first + self.horizon <= self._limits + 1) & (self._limits < self._last)
        if room[known].any() or len(known) < 2:
            return
        kept = len(known) - max(round(SHARE * len(known)), 1)
        self._by_series = int(known[kept])

    def parts(self, series: Tensor, cuts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return which windows are early, between, and late `(B,)`, bool; each is one of these.

        Args:
            series: As for `see`.
            cuts: As for `see`.
        """
        if self._by_series:
            late = series >= self._by_series
            return ~late, torch.zeros_like(late), late
        limits = self._limits.to(series.device)[series]
        late = cuts > limits
        early = cuts + self.horizon <= limits + 1
        return early, ~(early | late), late
