"""The studies of `cost_growth.py`: what grows, how far, and what time should be proportional to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.growth_points import SIGNS


def _powers(first: int, last: int, step: int = 1) -> tuple[int, ...]:
    return tuple(2**exponent for exponent in range(first, last + 1, step))


def hidden_operations(hidden_size: int) -> float:
    """Return the floating-point operations of a step of the study of the hidden size.

    Forward, and twice that backward: `2 (4 H (E + H) + H V)` for each of 32 x 32 characters, with
    embeddings of 128. The optimiser's few for each of as many parameters are left out.
    """
    gates, head = 4 * hidden_size * (128 + hidden_size), hidden_size * SIGNS
    return 3 * 2 * 32 * 32 * (gates + head)


def itself(size: int) -> float:
    """Return the size: what is linear in it."""
    return size


@dataclass(frozen=True)
class Study:
    """Ways that are measured against the same size.

    Attributes:
        title: Of its table and picture.
        counted: What the size is.
        ways: Keys of `growth_points.WAYS`, named.
        sizes: Of a whole measurement.
        quick: Of one that shows that it runs.
        against: What time should be proportional to, of a size.
    """

    title: str
    counted: str
    ways: Mapping[str, str]
    sizes: tuple[int, ...]
    quick: tuple[int, ...]
    against: Callable[[int], float] = itself


HEADS = {"exact, in pieces": "exact", "F.cross_entropy": "plain", "adaptive": "adaptive"}
STUDIES = {
    "length": Study(
        "Length of a sequence",
        "characters",
        {"whole": "whole", "truncated, 64 at a time": "truncated"},
        _powers(6, 14),
        (8, 16, 32),
    ),
    "hidden": Study(
        "Hidden size",
        "operations",
        {"LSTM": "hidden"},
        _powers(6, 11),
        (4, 8, 16),
        hidden_operations,
    ),
    "batch": Study("Batch", "rows", {"LSTM of 256": "batch"}, _powers(0, 9), (1, 2, 4)),
    "vocabulary": Study(
        "Vocabulary, features of 256",
        "words",
        {name: f"{loss} 256" for name, loss in HEADS.items()},
        _powers(7, 17),
        (64, 128, 256),
    ),
    "vocabulary512": Study(
        "Vocabulary, features of 512",
        "words",
        {name: f"{HEADS[name]} 512" for name in ("exact, in pieces", "adaptive")},
        _powers(9, 17, 2),
        (64, 128, 256),
    ),
    "series": Study(
        "Number of series",
        "series",
        {"reading, wide": "reading wide", "reading, long": "reading long", "epoch": "epoch"},
        (10, 30, 100, 300, 1000, 3000, 10_000),
        (3, 6, 12),
    ),
    "writing": Study(
        "Characters written", "characters", {"LSTM of 256": "writing"}, _powers(6, 13), (4, 8, 16)
    ),
}
