"""`Panel`: many series, as they come from a file or a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Panel:
    """Series of different lengths, one after the other in a few long arrays.

    Series `i` is rows `offsets[i]` to `offsets[i + 1]`, at regular steps. Its first `history[i]`
    rows have a target, measured or missing; those behind it have none yet, and are there for what
    is known in advance. Steps that a file leaves out are rows whose target is missing.

    Attributes:
        names: Name of each series (N,).
        channels: Names of the target's channels (K,).
        values: The target (R, K), float64; NaN is missing.
        offsets: First row of each series, and the end (N + 1,), int64.
        history: Rows of each series with a target (N,), int64.
        past: Covariates known up to the present (R, P), float64; NaN is missing.
        past_names: Their names (P,).
        known: Covariates known in advance (R, C), float64; NaN is missing.
        known_names: Their names (C,).
        static: Numbers that describe each series (N, S), float64.
        static_names: Their names (S,).
        categories: Categories that describe each series, by name of the column (N,) each.
        starts: Date of each series' first row (N,), datetime64[ns]; None: steps have no dates.
        frequency: The step between rows as a pandas offset alias, such as "h" or "MS"; None
            without dates.
        first_steps: Number of each series' first row (N,), int64, where rows are numbered: by a
            column of whole numbers, or from 1; None: they have dates, or are numbered from 1.
        step_length: How much the number grows from row to row.
    """

    names: Sequence[str]
    channels: tuple[str, ...]
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    history: NDArray[np.int64]
    past: NDArray[np.float64]
    past_names: tuple[str, ...]
    known: NDArray[np.float64]
    known_names: tuple[str, ...]
    static: NDArray[np.float64]
    static_names: tuple[str, ...]
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    starts: NDArray[np.datetime64] | None = None
    frequency: str | None = None
    first_steps: NDArray[np.int64] | None = None
    step_length: int = 1

    def __len__(self) -> int:
        return len(self.names)

    def target(self, series: int) -> NDArray[np.float64]:
        """Return the target of one series over its history (T, K)."""
        first = int(self.offsets[series])
        return self.values[first : first + int(self.history[series])]
