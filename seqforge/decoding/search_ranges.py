"""Which options of a beam search are in range, for every task whose users can set them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from seqforge.errors import UserError

WIDEST = 1000
"""The widest beam, and the most hypotheses, that can be asked for."""


class OptionRange(NamedTuple):
    """Whether an option is in its range.

    Attributes:
        name: The option's.
        right: Whether its value is one that is accepted.
        todo: What to give instead.
    """

    name: str
    right: bool
    todo: str


class SearchOptions(Protocol):
    """What every task that searches with a beam lets its users set; see `beam_search`."""

    beam_size: int
    length_penalty: float
    min_length: int
    max_length: int
    no_repeat_ngram: int
    n_best: int


def search_ranges(
    options: SearchOptions, *, usual: int, longest: int, otherwise: str
) -> Iterator[OptionRange]:
    """Yield the range of each option of a search.

    Args:
        options: The options; a `max_length` of 0 stands for none.
        usual: The width that a beam usually has.
        longest: The greatest length in tokens that can be asked for.
        otherwise: What a `max_length` of 0 goes by, in words.
    """
    yield OptionRange(
        "beam_size",
        1 <= options.beam_size <= WIDEST,
        f"give a number from 1 to {WIDEST}; {usual} is usual",
    )
    yield OptionRange(
        "length_penalty",
        0 <= options.length_penalty <= 10,
        "give a number from 0 (the likeliest) to 10; 1 weighs by length",
    )
    yield OptionRange(
        "min_length", 0 <= options.min_length <= longest, f"give a number from 0 to {longest}"
    )
    yield OptionRange(
        "max_length",
        options.max_length == 0 or max(1, options.min_length) <= options.max_length <= longest,
        f"give a number from --min-length to {longest}; 0 goes by {otherwise}",
    )
    yield OptionRange(
        "no_repeat_ngram",
        options.no_repeat_ngram >= 0,
        "give a number of tokens; 0 allows all",
    )
    yield OptionRange("n_best", 1 <= options.n_best <= WIDEST, f"give a number from 1 to {WIDEST}")


def require_ranges(options: object, ranges: Iterable[OptionRange], prefix: str = "") -> None:
    """Refuse options that are out of range.

    Args:
        options: Whose attributes the ranges are of.
        ranges: The ranges.
        prefix: What stands before the names of keys in a configuration; "": they were given to
            `infer`.

    Raises:
        UserError: Names the first option that is out of its range.
    """
    for name, right, todo in ranges:
        if not right:
            where = f"{prefix}{name}" if prefix else f"--{name.replace('_', '-')}"
            raise UserError(f"{name} is {getattr(options, name)}", where=where, todo=todo)
