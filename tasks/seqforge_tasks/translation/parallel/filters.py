"""Which pairs are left out of training, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seqforge_tasks.translation.parallel.pair import Pair

NO_TEXT: Final = "with an empty side"
TOO_LONG: Final = "longer than max_length"
SKEWED: Final = "beyond max_ratio"


@dataclass
class Dropped:
    """Counts pairs that are left out, by reason, with the line of the first one of each.

    Attributes:
        seen: Pairs that were looked at.
    """

    seen: int = 0
    _counts: dict[str, int] = field(default_factory=dict)
    _lines: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, line: int) -> None:
        """Count a pair that is left out."""
        self._counts[reason] = self._counts.get(reason, 0) + 1
        self._lines.setdefault(reason, line)

    def count(self, reason: str) -> int:
        """Return how many pairs were left out for a reason."""
        return self._counts.get(reason, 0)

    def note(self) -> str:
        """Return a line on what was left out; empty if nothing was."""
        if not self._counts:
            return ""
        reasons = ", ".join(
            f"{count:,} {reason} (first: line {self._lines[reason]:,})"
            for reason, count in self._counts.items()
        )
        total = sum(self._counts.values())
        return f"left out of training: {total:,} of {self.seen:,} pairs: {reasons}"


def with_text(pairs: Iterable[Pair], dropped: Dropped) -> list[Pair]:
    """Return the pairs whose sides both hold more than white space."""
    kept = []
    for pair in pairs:
        dropped.seen += 1
        if pair.source.strip() and pair.target.strip():
            kept.append(pair)
        else:
            dropped.add(NO_TEXT, pair.line)
    return kept


def of_fitting_length(
    lengths: NDArray[np.int64],
    lines: Sequence[int],
    max_length: int,
    max_ratio: float | None,
    dropped: Dropped,
) -> NDArray[np.bool_]:
    """Return which pairs are neither too long nor too unlike in length.

    Args:
        lengths: Tokens of both sides (N, 2).
        lines: Where the pairs stand (N,).
        max_length: Tokens of a side at most.
        max_ratio: How many times longer one side may be than the other; None: any.
        dropped: Where those left out are counted.
    """
    longer, shorter = lengths.max(axis=1), lengths.min(axis=1)
    too_long = longer > max_length
    skewed = np.zeros_like(too_long) if max_ratio is None else longer > shorter * max_ratio
    for reason, these in ((TOO_LONG, too_long), (SKEWED, skewed & ~too_long)):
        for number in np.flatnonzero(these):
            dropped.add(reason, lines[int(number)])
    kept: NDArray[np.bool_] = ~(too_long | skewed)
    return kept
