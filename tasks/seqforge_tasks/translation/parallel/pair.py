"""`Pair` and `PairSource`: what a text and its translation come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Pair(NamedTuple):
    """A text and its translation, as the data give them.

    Attributes:
        source: The text.
        target: Its translation.
        line: Where it stands: the line of its file, from 1 on, or the row of its data set.
    """

    source: str
    target: str
    line: int


class PairSource(Protocol):
    """The pairs of one part, such as the training part; each pass gives the same ones."""

    @property
    def name(self) -> str:
        """What the part is called in a message: its file or files."""
        ...

    def pairs(self) -> Iterator[Pair]:
        """Yield the pairs in the order of the data.

        Raises:
            UserError: They cannot be read; the message says where.
        """
        ...
