"""Training, validation and test parts of series, by time or by series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.options import Amount, SeriesOptions
from seqforge_tasks.forecasting.series.panel import Panel

Bounds = tuple[NDArray[np.int64], NDArray[np.int64]]
"""First step of each series' part (N,), and the first one behind it (N,)."""

Ends = tuple[NDArray[np.int64], ...]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Parts:
    """Which steps of each series each part forecasts; they never overlap.

    Contexts of a part may reach back into the parts before it.

    Attributes:
        train: Bounds of the training part.
        validation: Bounds of the validation part.
        test: Bounds of the test part.
    """

    train: Bounds
    validation: Bounds
    test: Bounds


def split_series(panel: Panel, options: SeriesOptions, tested: NDArray[np.int64]) -> Parts:
    """Split the series as a user asks for.

    Args:
        panel: The series.
        options: `split`, `train`, `validation` and `test` say how.
        tested: Last steps of each series (N,) that are the test part in any case, because they come
            from a file of their own; 0: none do. The split is then of the steps before them.

    Raises:
        UserError: The amounts do not fit the kind of split, or the series.
    """
    apart = bool(tested.any())
    lengths = panel.history - tested
    if options.split == "series":
        parts = _by_series(lengths, options)
    else:
        ends = _ends_in_time(panel, lengths, options, apart)
        train, validation, test = (np.clip(end, 0, lengths) for end in ends)
        first = np.zeros_like(train)
        parts = Parts((first, train), (train, validation), (validation, test))
    if apart:
        parts = Parts(parts.train, parts.validation, (lengths, panel.history))
    return parts


def _ends_in_time(
    panel: Panel, lengths: NDArray[np.int64], options: SeriesOptions, apart: bool
) -> Ends:
    """Return the first step behind each part, of each series (N,)."""
    if options.split == "dates":
        return _by_dates(panel, lengths, options, apart)
    if options.split == "horizons":
        return _by_horizons(lengths, options, apart)
    if options.split == "steps":
        return _by_steps(lengths, options, apart)
    return _by_fractions(lengths, options, apart)


def _by_fractions(lengths: NDArray[np.int64], options: SeriesOptions, apart: bool) -> Ends:
    shares = _shares(options, apart)
    sums = np.cumsum(shares)
    # 0.7 + 0.1 of 10 steps is 7.999…: what is a whole number but for rounding is that number.
    return tuple(np.floor(lengths * share + 1e-6).astype(np.int64) for share in sums)


def _by_steps(lengths: NDArray[np.int64], options: SeriesOptions, apart: bool) -> Ends:
    counts = [_whole(options, part) for part in PARTS]
    if apart:
        counts[2] = 0
    if len(lengths) and sum(counts) > int(lengths.max()):
        raise UserError(
            f"the parts have {sum(counts):,} steps together, and the longest series "
            f"{int(lengths.max()):,}",
            where="data.train, data.validation, data.test",
            todo="give fewer steps, or split by fractions",
        )
    return tuple(np.full_like(lengths, end) for end in np.cumsum(counts))


def _by_horizons(lengths: NDArray[np.int64], options: SeriesOptions, apart: bool) -> Ends:
    _require_no_training_amount(options)
    step = options.horizon
    tested = 0 if apart else _whole(options, "test") * step
    validated = _whole(options, "validation") * step
    test_start = np.maximum(lengths - tested, 0)
    return np.maximum(test_start - validated, 0), test_start, lengths


def _by_dates(
    panel: Panel, lengths: NDArray[np.int64], options: SeriesOptions, apart: bool
) -> Ends:
    _require_no_training_amount(options)
    if panel.starts is None or panel.frequency is None:
        raise UserError(
            "the series have no dates to be split by",
            where="data.split",
            todo="split by fractions, steps or horizons",
        )
    test = None if apart else _date(options, "test")
    test_start = lengths if test is None else _steps_before(panel, test, lengths)
    if test is not None:
        _require_reached("test", test, test_start, lengths)
    validation = _date(options, "validation")
    if validation is None:
        return test_start, test_start, lengths
    if test is not None and validation >= test:
        raise UserError(
            f"validation begins on {validation}, which is not before the test, {test}",
            where="data.validation, data.test",
            todo="give the first day of each part",
        )
    validation_start = _steps_before(panel, validation, lengths)
    _require_reached("validation", validation, validation_start, lengths)
    return np.minimum(validation_start, test_start), test_start, lengths


def _require_reached(
    part: str, date: pd.Timestamp, starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> None:
    if len(lengths) and (starts >= lengths).all():
        raise UserError(
            f"{part} begins on {date}, and all series end before",
            where=f"data.{part}",
            todo="give a date that the series reach, or null for no such part",
        )


def _by_series(lengths: NDArray[np.int64], options: SeriesOptions) -> Parts:
    number = len(lengths)
    if all(isinstance(getattr(options, part), int | None) for part in PARTS):
        counts = [_whole(options, part) for part in PARTS]
        if sum(counts) > number:
            raise UserError(
                f"the parts have {sum(counts)} series together, and there are {number}",
                where="data.train, data.validation, data.test",
                todo="give fewer series, or fractions of them",
            )
        ends = np.cumsum(counts)
    else:
        ends = np.floor(number * np.cumsum(_shares(options, False)) + 1e-6).astype(np.int64)
    place = np.arange(number)
    parts, first = [], 0
    for end in ends.tolist():
        within = (place >= first) & (place < end)
        parts.append((np.zeros_like(lengths), np.where(within, lengths, 0)))
        first = end
    return Parts(*parts)


def _steps_before(
    panel: Panel, date: pd.Timestamp, lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how many steps of each series lie before a date (N,)."""
    assert panel.starts is not None
    assert panel.frequency is not None
    counts = np.zeros_like(lengths)
    # Series mostly begin together: each grid of dates is made once, as long as the longest needs.
    for start in np.unique(panel.starts):
        chosen = panel.starts == start
        longest = int(lengths[chosen].max())
        dates = pd.date_range(start, periods=longest, freq=panel.frequency)
        counts[chosen] = np.minimum(dates.searchsorted(date), lengths[chosen])
    return counts


def _shares(options: SeriesOptions, apart: bool) -> list[float]:
    shares = []
    for part in PARTS:
        value = getattr(options, part) or 0
        if isinstance(value, str) or not 0 <= value <= 1:
            raise UserError(
                f"{part} is {value!r}, and the split is by fractions",
                where=f"data.{part}",
                todo="give a share from 0 to 1; data.split: steps takes numbers of steps",
            )
        shares.append(float(value))
    if apart:
        shares[2] = 0.0
        # The file that is split holds no test part: what is asked for is rescaled to all of it.
        total = shares[0] + shares[1]
        shares = [share / total for share in shares] if total else shares
    if sum(shares) > 1 + 1e-9:
        raise UserError(
            f"train, validation and test are {sum(shares):.4g} together",
            where="data.train, data.validation, data.test",
            todo="give shares that make up at most 1",
        )
    return shares


def _whole(options: SeriesOptions, part: str) -> int:
    value: Amount = getattr(options, part)
    value = 0 if value is None else value
    if isinstance(value, str) or value != int(value) or value < 0:
        raise UserError(
            f"{part} is {value!r}, and the split is by {options.split}",
            where=f"data.{part}",
            todo=f"give a whole number of {options.split}",
        )
    return int(value)


def _date(options: SeriesOptions, part: str) -> pd.Timestamp | None:
    value: Amount = getattr(options, part)
    if value is None:
        return None
    mistake = UserError(
        f"{part} is {value!r}, and the split is by dates",
        where=f"data.{part}",
        todo="give the date on which it begins, such as 2017-06-25, or null for none",
    )
    if not isinstance(value, str):
        raise mistake
    try:
        date = pd.Timestamp(value)
    except ValueError as error:
        raise mistake from error
    if pd.isna(date):
        raise mistake
    return date.tz_convert(None) if date.tzinfo else date


def _require_no_training_amount(options: SeriesOptions) -> None:
    default = SeriesOptions.__dataclass_fields__["train"].default
    if options.train not in (None, default):
        raise UserError(
            f"train is {options.train!r}, but by {options.split} training takes all that comes "
            "before validation and test",
            where="data.train",
            todo="leave it out",
        )
