"""What all loaders of seqforge share: they know where they stand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from seqforge.data.batch import Batch


class PositionedLoader(ABC):
    """Counts the batches it has delivered, so that it can go on from there.

    A batch is counted when it is handed over, not when it is made: batches that workers had fetched
    ahead are not lost when a run is resumed. Each pass counts one epoch.

    Args:
        fixed: True for validation: every pass is epoch 0.
        limit: Batches after which a pass ends before the epoch does; None: it does not.
    """

    def __init__(self, fixed: bool, limit: int | None) -> None:
        self._fixed = fixed
        self._limit = limit
        self._epoch = 0
        self._delivered = 0
        self._begun = False

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def _batches(self, epoch: int, first: int, end: int) -> Iterator[Batch]:
        """Yield batches `first` to `end` of an epoch."""

    def __iter__(self) -> Iterator[Batch]:
        end = len(self) if self._limit is None else min(self._limit, len(self))
        # A pass that was left early (a limited number of batches) does not go on in the next one.
        if (self._begun and self._delivered) or self._delivered >= end:
            self._advance()
        self._begun = True
        for batch in self._batches(self._epoch, self._delivered, end):
            self._delivered += 1
            yield batch
        self._advance()
        self._begun = False

    def position(self) -> dict[str, int]:
        """Return the epoch and the number of its batches delivered so far."""
        return {"epoch": self._epoch, "delivered": self._delivered}

    def restore(self, epoch: int, delivered: int) -> None:
        """Go on after `delivered` batches of `epoch`.

        Raises:
            TypeError: A number is none.
        """
        if not isinstance(epoch, int) or not isinstance(delivered, int):
            raise TypeError(f"epoch {epoch!r} and delivered {delivered!r} must be whole numbers")
        self._epoch = epoch
        self._delivered = delivered
        self._begun = False

    def close(self) -> None:  # noqa: B027 - most loaders keep nothing
        """Release what is kept between passes."""

    def _advance(self) -> None:
        self._delivered = 0
        if not self._fixed:
            self._epoch += 1
