"""`Photos`: the pictures of a part with their captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from torch import Tensor

Part = Literal["train", "validation", "test"]


class Photos(Protocol):
    """Pictures or clips by number, with the captions that people wrote for them.

    Worker processes read pictures too, so that it can be sent to them, or is copied by a fork.
    """

    def __len__(self) -> int: ...

    @property
    def names(self) -> Sequence[str]:
        """What each picture is called: its file."""
        ...

    @property
    def keys(self) -> Sequence[str]:
        """A hash of each picture's content: equal ones are the same picture."""
        ...

    @property
    def captions(self) -> Sequence[tuple[str, ...]]:
        """Each picture's captions as they were written, one or more."""
        ...

    @property
    def frames(self) -> Sequence[int] | None:
        """How many frames each clip has; None: they are pictures."""
        ...

    def picture(self, number: int) -> Tensor:
        """Return a picture as the network reads it, `(3, S, S)` uint8; a clip `(F, 3, S, S)`."""
        ...
