"""Parts of a text that is too long to be translated at one go."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

# Where a text is cut rather: behind sentences, then behind other punctuation, then at spaces.
# Chinese and Japanese write no space behind their punctuation.
_PLACES = (r"(?<=[.!?…])\s+|(?<=[。！？])\s*", r"(?<=[,;:–—])\s+|(?<=[、，；：])\s*", r"\s+")


def split_text(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Cut a text into parts that fit, as few as can be at the best places.

    Args:
        text: The text.
        fits: Whether a part is short enough.

    Returns:
        The parts in order, which are the text but for the white space where it was cut; what
        cannot be cut at a space is cut between characters, never left out. A single character is
        a part even if it does not fit.
    """
    text = text.strip()
    if not text or fits(text) or len(text) == 1:
        return [text] if text else []
    for place in _PLACES:
        pieces = _cut(text, place)
        if len(pieces) > 1:
            return [part for each in _merged(pieces, fits) for part in split_text(each, fits)]
    middle = len(text) // 2
    return [*split_text(text[:middle], fits), *split_text(text[middle:], fits)]


def _cut(text: str, place: str) -> list[str]:
    """Cut behind each match of a pattern; together, the pieces are the text."""
    ends = [match.end() for match in re.finditer(place, text)]
    return [text[start:end] for start, end in pairwise([0, *ends, len(text)]) if start < end]


def _merged(pieces: list[str], fits: Callable[[str], bool]) -> list[str]:
    """Join neighbours as long as they fit together."""
    merged = [pieces[0]]
    for piece in pieces[1:]:
        joined = merged[-1] + piece
        if fits(joined.strip()):
            merged[-1] = joined
        else:
            merged.append(piece)
    return merged
