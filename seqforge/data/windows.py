"""Windows over many series, numbered through without being made."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqforge.errors import UserError


class Windows:
    """All windows of `context + horizon` steps over series of different lengths.

    Windows have numbers from 0, series after series, so any plan can order them. Nothing is kept
    but one running count for each series.

    In each series windows are counted back from its end: when a stride does not go into the
    length, the oldest steps are left out, never the newest.

    Args:
        lengths: Steps of each series (N,).
        context: Steps that are known.
        horizon: Steps that are forecast.
        stride: Steps from a window's first step to the next one's.
        short: What becomes of series shorter than a window. "refuse" them; "skip" them: they have
            no window; "pad": they have one at offset 0, whose missing steps are padding on the
            right. Series without any step have no window then either.

    Attributes:
        window: Steps of a window, context and horizon together.

    Raises:
        UserError: A series is shorter than a window and those are refused, or there is no window.
        ValueError: A number is out of range.
    """

    def __init__(
        self,
        lengths: ArrayLike,
        context: int,
        horizon: int,
        stride: int = 1,
        short: Literal["skip", "pad", "refuse"] = "refuse",
    ) -> None:
        self.lengths = np.asarray(lengths, dtype=np.int64)
        if self.lengths.ndim != 1 or self.lengths.size == 0 or self.lengths.min() < 0:
            raise ValueError("windows need the length of at least one series, none negative")
        if context < 1 or horizon < 0 or stride < 1:
            raise ValueError(
                f"context {context} and stride {stride} must be at least 1, horizon {horizon} 0"
            )
        self.window = context + horizon
        self.stride = stride
        size = f"{self.window} steps (context {context} + horizon {horizon})"
        too_short = np.flatnonzero(self.lengths < self.window)
        if short == "refuse" and len(too_short):
            raise UserError(
                f"{len(too_short)} of {len(self.lengths)} series are shorter than a window of "
                f"{size}, such as number {too_short[0]} with {self.lengths[too_short[0]]}",
                todo='use a smaller context or horizon, or short: "skip" or "pad"',
            )
        counts = np.maximum((self.lengths - self.window) // stride + 1, 0)
        if short == "pad":
            counts[too_short] = self.lengths[too_short] > 0
        self._ends = np.cumsum(counts)
        if self._ends[-1] == 0:
            raise UserError(
                f"no series is as long as a window of {size}: the longest has {self.lengths.max()}",
                todo="use a smaller context or horizon",
            )

    def __len__(self) -> int:
        return int(self._ends[-1])

    def locate(self, number: int) -> tuple[int, int]:
        """Return the series that a window lies in and its first step there.

        Args:
            number: The window's number.

        Returns:
            The series' number and the offset. Steps `offset` to `offset + window` of the series are
            the window; those at or behind the series' end are padding.

        Raises:
            IndexError: There is no such window.
        """
        series, offsets = self.locate_many([number])
        return int(series[0]), int(offsets[0])

    def locate_many(self, numbers: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the series that windows lie in and their first steps there, as `locate`.

        Args:
            numbers: The windows' numbers (B,).

        Returns:
            The series' numbers (B,) and the offsets (B,).

        Raises:
            IndexError: There is no such window.
        """
        numbers = np.asarray(numbers, dtype=np.int64)
        outside = (numbers < 0) | (numbers >= len(self))
        if outside.any():
            raise IndexError(f"window {numbers[outside][0]} of {len(self)}")
        # To the right: a series without windows ends where the one before it does.
        series = np.searchsorted(self._ends, numbers, side="right")
        later = self._ends[series] - 1 - numbers
        last = self.lengths[series] - self.window
        return series, np.maximum(last - later * self.stride, 0)
