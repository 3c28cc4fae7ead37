"""`Vocabulary`: text to numbers and back, as plain values in a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Decoder(Protocol):
    """Turns numbers into text as they come, for one text."""

    def feed(self, number: int) -> str:
        """Return the text that is certain after this number; empty inside a character."""
        ...

    def close(self) -> str:
        """Return what is left over at the end: U+FFFD for half a character, else nothing."""
        ...


class Vocabulary(Protocol):
    """What every vocabulary offers, whatever its units are."""

    @property
    def unit(self) -> str:
        """What one number stands for, such as "character" or "byte"."""
        ...

    @property
    def unknown(self) -> int | None:
        """The number of everything that is not in the vocabulary; None if all text is in it."""
        ...

    def __len__(self) -> int: ...

    def spec(self) -> dict[str, Any]:
        """Return the vocabulary as plain values, with its `kind`."""
        ...

    def encode(self, text: str) -> NDArray[np.int64]:
        """Return the numbers of a text (N,)."""
        ...

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of numbers."""
        ...

    def decoder(self) -> Decoder:
        """Return a new decoder for numbers that come one at a time."""
        ...

    def knows(self, text: str) -> bool:
        """Return whether all of a text is in the vocabulary."""
        ...

    def require_known(self, text: str) -> None:
        """Refuse a text that is not wholly in the vocabulary.

        Raises:
            UserError: Names the first part that is not, and its place.
        """
        ...
