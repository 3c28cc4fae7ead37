"""What a user can set when series are forecast, and which values are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from seqforge.errors import UserError

STEPS = 100_000
"""The longest horizon that can be asked for."""

InputLayout = Literal["trained", "auto", "wide", "long", "ragged", "plain"]


@dataclass
class ForecastingOptions:
    """How series are forecast.

    Attributes:
        horizon: Steps that are forecast; 0: as many as in training. More need mode recursive.
        levels: Intervals, in percent, such as 80 95; none: those that were measured in training.
        intervals: Whether intervals are given at all.
        plot: File for a picture of the forecasts, such as out.png; of a second input it is
            out-2.png, and so on.
        layout: How the series lie in the input, if other than in training: wide (a column each
            series), long (rows of name, date and value), ragged (a row each series), plain (one
            number a line), or auto, which finds out.
        date: Column with the dates, if it is not found.
        id: Column with the names of series, of long tables, if it is not found.
        target: Columns to forecast, if other than in training.
        frequency: The step between dates, such as h or MS, if it is not found.
        batch_size: Series that are forecast together; it changes speed and memory only.
    """

    horizon: int = 0
    levels: list[float] = field(default_factory=list)
    intervals: bool = True
    plot: str = ""
    layout: InputLayout = "trained"
    date: str = ""
    id: str = ""
    target: list[str] = field(default_factory=list)
    frequency: str = ""
    batch_size: int = 256


def require_valid(options: ForecastingOptions) -> None:
    """Refuse options that are out of range.

    Args:
        options: The options.

    Raises:
        UserError: Names the first such option.
    """
    for name, given, right, todo in _ranges(options):
        if not right:
            raise UserError(f"{name} is {given}", where=f"--{name.replace('_', '-')}", todo=todo)


def _ranges(options: ForecastingOptions) -> Iterator[tuple[str, object, bool, str]]:
    """Yield each option with a range, what was given, whether it is in it, and what to do."""
    yield (
        "horizon",
        options.horizon,
        0 <= options.horizon <= STEPS,
        f"give a number from 1 to {STEPS}; 0 forecasts as many steps as in training",
    )
    for level in options.levels:
        yield "levels", level, 1 <= level < 100, "give percentages, 1 or more and below 100: 80 95"
    given = " ".join(f"{level:g}" for level in options.levels)
    yield "levels", given, len(set(options.levels)) == len(options.levels), "name each level once"
    yield (
        "levels",
        f"{given}, and intervals are turned off",
        options.intervals or not options.levels,
        "leave out --levels or --no-intervals",
    )
    yield (
        "batch_size",
        options.batch_size,
        1 <= options.batch_size <= 100_000,
        "give a number from 1 to 100000",
    )
