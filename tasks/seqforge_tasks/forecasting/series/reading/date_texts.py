"""Dates that are written as text."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_OFFSET = re.compile(r"(?<=\d)\s*(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)$")
_TIME = re.compile(r"\d{1,2}:\d{2}")
_QUARTER = re.compile(r"\d{4}-?Q[1-4]")
_SLASHED = re.compile(r"\d{1,2}([/.-])\d{1,2}\1(\d{4}|\d{2})(?!\d)")
_MONTHS = ("%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%m/%Y")


@dataclass(frozen=True)
class DateTexts:
    """What texts say, in nanoseconds since 1970 (U,), int64.

    Attributes:
        wall: The date and time that is written.
        wrong: Texts that are no date, or are not written as the others (U,), bool.
        problem: What is wrong with those.
        moments: The moment in UTC, if they name their offset from it; else None.
        notes: How they were read, if this is not obvious.
    """

    wall: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    problem: str
    moments: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()


def parse_texts(texts: pd.Index, date_format: str | None) -> DateTexts:
    """Parse dates that are all written alike.

    Dates as of ISO 8601 may differ in how exact they are. Those such as 2/1/1981 are read month
    first, unless this fails for one of them and day first does not; a note says so.

    Args:
        texts: Different texts (U,).
        date_format: Their format as of `strptime`; None: found out.
    """
    if date_format is not None:
        return _attempt(texts, date_format, f"not written as {date_format}")
    if all(_QUARTER.fullmatch(text) for text in texts):
        starts = pd.PeriodIndex(texts.str.replace("-", ""), freq="Q").to_timestamp()
        return DateTexts(_as_int(starts), np.zeros(len(texts), bool), "")
    with_offset = np.array([bool(_TIME.search(t) and _OFFSET.search(t.strip())) for t in texts])
    if with_offset.all():
        return _with_offsets(texts)
    if with_offset.any():
        few = with_offset if with_offset.mean() <= 0.5 else ~with_offset
        problem = "written with an offset from UTC, and others are without one"
        if few is not with_offset:
            problem = "written without an offset from UTC, and others are with one"
        return DateTexts(np.zeros(len(texts), np.int64), few, problem)
    return _without_offsets(texts)


def _without_offsets(texts: pd.Index) -> DateTexts:
    standard = _attempt(texts, "ISO8601", "no date, or is not written as others are")
    if not standard.wrong.any():
        return standard
    # The format that fits most texts: a few may be mistakes.
    formats = _formats(texts)
    attempts = [
        _attempt(texts, each, f"not written as {_legible(each)}, as others are") for each in formats
    ]
    best = min([standard, *attempts], key=lambda attempt: int(attempt.wrong.sum()))
    if best is standard or best.wrong.any() or not _SLASHED.match(texts[0]):
        return best
    if best is attempts[0] and attempts[1].wrong.any():
        return best
    order = "month" if best is attempts[0] else "day"
    return replace(best, notes=(f"dates such as {texts[0]} are read {order} first",))


def _formats(texts: pd.Index) -> list[str]:
    """Return formats that the texts may have; of slashed ones month first, then day first."""
    first = str(texts[0]).strip()
    slashed = _SLASHED.match(first)
    if slashed is None:
        guessed = pd.tseries.api.guess_datetime_format(first)
        # What begins with a year goes on with the month, or is a mistake.
        return [*([guessed] if guessed and not first[:4].isdigit() else []), *_MONTHS]
    # Numbers that leave no doubt: pandas would decide by those of this text alone.
    sign = slashed.group(1)
    plain = _SLASHED.sub(lambda found: f"01{sign}02{sign}{found.group(2)}", first)
    guessed = pd.tseries.api.guess_datetime_format(plain)
    if guessed is None:
        return []
    swapped = guessed.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")
    return [guessed, swapped]


def _with_offsets(texts: pd.Index) -> DateTexts:
    bare = pd.Index([_OFFSET.sub("", text.strip()) for text in texts])
    wall = _without_offsets(bare)
    parsed = pd.to_datetime(texts, utc=True, errors="coerce", format="ISO8601")
    problem = "no date that can be read"
    moments = parsed.tz_localize(None)
    wrong = wall.wrong | np.asarray(moments.isna())
    return DateTexts(wall.wall, wrong, problem, _as_int(moments), wall.notes)


def _attempt(texts: pd.Index, date_format: str, problem: str) -> DateTexts:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = pd.to_datetime(texts, format=date_format, errors="coerce")
    parsed = pd.DatetimeIndex(parsed)
    if parsed.tz is not None:
        moments = parsed.tz_convert("UTC").tz_localize(None)
        wall = parsed.tz_localize(None)
        return DateTexts(_as_int(wall), np.asarray(parsed.isna()), problem, _as_int(moments))
    outside = (parsed < pd.Timestamp("1678-01-01")) | (parsed >= pd.Timestamp("2262-01-01"))
    wrong = np.asarray(outside | parsed.isna())
    readable = np.zeros(len(texts), np.int64)
    readable[~wrong] = _as_int(parsed[~wrong])
    return DateTexts(readable, wrong, problem)


def _legible(date_format: str) -> str:
    words = {"%Y": "year", "%m": "month", "%d": "day", "%H": "hour", "%M": "minute"}
    for sign, word in (
        words | {"%S": "second", "%B": "month", "%b": "month", "%y": "year"}
    ).items():
        date_format = date_format.replace(sign, word)
    return date_format


def _as_int(dates: pd.DatetimeIndex) -> NDArray[np.int64]:
    return dates.as_unit("ns").to_numpy().view(np.int64)
