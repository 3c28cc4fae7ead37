"""`TextSource`: where a corpus comes from, as one stream of pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol


class TextPiece(NamedTuple):
    """A stretch of a text.

    Attributes:
        text: Its characters; line ends are single line feeds.
        begins: Whether a document begins with it.
    """

    text: str
    begins: bool = False


def joined(texts: Iterable[str], end: str) -> Iterator[TextPiece]:
    """Yield texts as documents, with an end mark between each two of them."""
    for number, text in enumerate(texts):
        if number:
            yield TextPiece(end)
        yield TextPiece(text, begins=True)


class TextSource(Protocol):
    """A text that can be read from the front, and told from any other without reading it."""

    @property
    def name(self) -> str:
        """A short name, for people."""
        ...

    @property
    def marked(self) -> bool:
        """Whether documents end at marks inside the text too, not only where pieces begin them."""
        ...

    def size(self) -> int:
        """Return about how many bytes there are to read; 0 if nobody knows."""
        ...

    def key(self) -> dict[str, Any]:
        """Return plain values that change whenever the text may have changed.

        Raises:
            UserError: There is no such text.
        """
        ...

    def pieces(self) -> Iterator[TextPiece]:
        """Yield the text from its beginning to its end, no more than a few MB at a time.

        Raises:
            UserError: It cannot be read; the message says where.
        """
        ...
