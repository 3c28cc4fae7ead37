"""What a text is about, position by position: the things that a unit may follow.

After Karpathy's "The Unreasonable Effectiveness of Recurrent Neural Networks" and Karpathy, Johnson
& Fei-Fei 2015, where cells count a line's characters and know quotes, brackets and indentation. A
value is that after the position's symbol has been read, and looks at nothing later, but for the
line end, which asks what a unit expects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST = 5
"""A feature occurs if at least so many positions differ from the commonest value."""

Symbols = Sequence[str]


class Feature(NamedTuple):
    """Something that a unit may follow.

    Attributes:
        name: In words, for a heading.
        measure: From the symbols to one number for each.
        graded: Whether the numbers are sizes; else they are 0 and 1.
    """

    name: str
    measure: Callable[[Symbols], Iterator[float]]
    graded: bool = False

    def values(self, symbols: Symbols) -> NDArray[np.float64]:
        """Give the numbers of a text `(T,)`."""
        return np.fromiter(self.measure(symbols), dtype=np.float64, count=len(symbols))

    def occurs(self, values: NDArray[np.float64]) -> bool:
        """Say whether numbers `(T,)` vary enough for a unit to be said to follow them."""
        most = int(np.unique(values, return_counts=True)[1].max()) if len(values) else 0
        return len(values) - most >= LEAST


def inside_quotes(symbols: Symbols) -> Iterator[float]:
    """Between double quotes, straight or curly; an empty line ends what was left open."""
    inside, last = False, ""
    for symbol in symbols:
        if symbol == "\n" == last:
            inside = False
        elif symbol == '"':
            inside = not inside
        elif symbol in ("“", "”"):
            inside = symbol == "“"
        last = symbol
        yield inside


def inside_brackets(symbols: Symbols) -> Iterator[float]:
    """Inside round, square or curly brackets; an empty line ends what was left open."""
    depth, last = 0, ""
    for symbol in symbols:
        if symbol == "\n" == last:
            depth = 0
        elif symbol in ("(", "[", "{"):
            depth += 1
        elif symbol in (")", "]", "}"):
            depth = max(0, depth - 1)
        last = symbol
        yield depth > 0


def place_in_line(symbols: Symbols) -> Iterator[float]:
    """Symbols since the line began: high where its end comes near; 0 throughout without lines."""
    lines = "\n" in symbols[1:]  # what stands before the first line ends none
    place = 0
    for symbol in symbols:
        place = 0 if symbol == "\n" else place + 1
        yield place if lines else 0


def line_end(symbols: Symbols) -> Iterator[float]:
    """Where a line feed comes next: the line, which may be empty, is complete."""
    return (following == "\n" for following in [*symbols[1:], ""])


def indentation(symbols: Symbols) -> Iterator[float]:
    """Blanks at the beginning of the line, so far; a tab counts as one."""
    blanks, beginning = 0, True
    for symbol in symbols:
        if symbol == "\n":
            blanks, beginning = 0, True
        elif beginning and symbol in (" ", "\t"):
            blanks += 1
        else:
            beginning = False
        yield blanks


def inside_word(symbols: Symbols) -> Iterator[float]:
    """At a letter."""
    return (symbol.isalpha() for symbol in symbols)


def capitals(symbols: Symbols) -> Iterator[float]:
    """At a capital letter."""
    return (symbol.isupper() for symbol in symbols)


def digits(symbols: Symbols) -> Iterator[float]:
    """At a digit."""
    return (symbol.isdigit() for symbol in symbols)


FEATURES = (
    Feature("inside quotes", inside_quotes),
    Feature("inside brackets", inside_brackets),
    Feature("place in the line", place_in_line, graded=True),
    Feature("line end", line_end),
    Feature("indentation", indentation, graded=True),
    Feature("inside a word", inside_word),
    Feature("capital letters", capitals),
    Feature("digits", digits),
)
