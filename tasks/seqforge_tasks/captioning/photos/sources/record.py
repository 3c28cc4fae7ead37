"""What a file of captions says of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Record(NamedTuple):
    """A picture with captions; others of the same picture may follow.

    Attributes:
        file: The picture's file, as the captions name it.
        captions: What was written of it.
        place: Where that stands, for messages.
        split: The part that the file puts it in, such as "train"; None: it says nothing.
        source: The video that a clip was cut from; None: it says nothing.
    """

    file: str
    captions: tuple[str, ...]
    place: str
    split: str | None = None
    source: str | None = None


class CaptionSource(Protocol):
    """Captions of pictures, in whatever form they are kept."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def records(self) -> Iterator[Record]:
        """Yield the records in the order of the file.

        Raises:
            UserError: It cannot be read; the message names the line.
        """
        ...
