"""`ForecastBatch`: windows of series, cut where what is known ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from seqforge.data import Batch


@dataclass(kw_only=True)
class ForecastBatch(Batch):
    """A batch of windows: the context up to a cut-off, and what comes behind it.

    Everything is in the scale of the network (see `Encoding`) unless it says otherwise. Sizes: `B`
    windows, `L` steps of context, `H` of the horizon, `K` channels of the target. The first step of
    the horizon comes `lead` steps after the last of the context: 1, unless the protocol skips some.

    Attributes:
        context: The target up to the cut-off (B, L, K), 0 where it is missing or padding.
        observed: Whether that is a measured value (B, L, K), bool.
        lengths: Steps of the context (B,), 1 to L; padding is on the right.
        past: Covariates known up to the cut-off alone (B, L, P), 0 where missing.
        known: Covariates known in advance, over the context (B, L, C), 0 where missing.
        known_future: The same over the horizon (B, H, C).
        static: Numbers that describe a series (B, S).
        categories: Categories that do (B, G), int64; the first is the series itself; 0: unknown.
        gap: The target between context and horizon (B, lead - 1, K).
        target: The target over the horizon (B, H, K), 0 where it is missing.
        target_observed: Whether that is a measured value (B, H, K), bool.
        location: What 0 means in the units of the data (B, K).
        scale: What 1 means in the units of the data, above 0 (B, K).
        naive_error: Mean absolute error of the seasonal naive forecast on the series' own training
            part (B, K), the denominator of MASE; 0 where it is not known.
        series: Number of each window's series in its panel (B,), int64.
        cuts: Steps of the series before the cut-off (B,), int64.
        calibration: Rows that calibrate intervals and are not scored (B,), bool; None: no row.
        naive: The seasonal naive forecast (B, H, K); None in training.
        naive2: M4's Naive2 forecast (B, H, K); None where it was not asked for.
    """

    context: Tensor
    observed: Tensor
    lengths: Tensor
    past: Tensor
    known: Tensor
    known_future: Tensor
    static: Tensor
    categories: Tensor
    gap: Tensor
    target: Tensor
    target_observed: Tensor
    location: Tensor
    scale: Tensor
    naive_error: Tensor
    series: Tensor
    cuts: Tensor
    calibration: Tensor | None = None
    naive: Tensor | None = None
    naive2: Tensor | None = None

    def rows(self, chosen: Tensor) -> Self:
        """Return some windows of the batch.

        Args:
            chosen: `(N,)` int64 numbers, with repetition if wanted, or `(B,)` bool.
        """
        return self._map(lambda tensor: tensor[chosen])

    def size(self) -> tuple[int, str]:
        """Return the number of windows."""
        return len(self.ids), "windows"
