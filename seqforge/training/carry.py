"""The state that goes from batch to batch in truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from seqforge.data.plan import rank_slice
from seqforge.state import State, detach, from_plain, leaves, map_state, reset, to_plain

if TYPE_CHECKING:
    from seqforge.data.batch import Batch
    from seqforge.task import Task


class Carry:
    """Holds the carried state of one stream of batches; training and validation have their own.

    The state is detached when it is put down: gradients reach back to the start of a batch and no
    further. It lives here, never in a module, so that no checkpoint, evaluation or other process
    can disturb it.
    """

    def __init__(self) -> None:
        self._state: State = None
        self._plain: Any = None

    def take(self, task: Task, batch: Batch) -> State:
        """Return the state for a batch: carried on, except for rows that `batch.starts` marks.

        A batch with another number of rows than the last one starts afresh.
        """
        rows = len(batch.ids)
        start = task.start(rows)
        if start is None:
            return None
        if self._plain is not None:
            self._state, self._plain = from_plain(self._plain, start), None
        if self._state is None or not _has_rows(self._state, rows):
            return start
        return self._state if batch.starts is None else reset(self._state, batch.starts, start)

    def put(self, state: State) -> None:
        """Keep the state that a batch ended with, cut from its graph."""
        self._state = None if state is None else detach(state)

    def clear(self) -> None:
        """Forget the state, at the beginning of an epoch."""
        self._state = self._plain = None

    def gather(self, world_size: int) -> Any:
        """Return the rows of all ranks as nested tuples of tensors, for a checkpoint.

        A collective call: every rank must make it.
        """
        plain = None if self._state is None else to_plain(self._state)
        if world_size == 1:
            return plain
        parts: list[Any] = [None] * world_size
        torch.distributed.all_gather_object(parts, map_state(lambda leaf: leaf.cpu(), plain))
        return _concatenate([part for part in parts if part is not None])

    def restore(self, plain: Any, rank: int, world_size: int) -> None:
        """Take up this rank's rows of a checkpoint at the next batch.

        The number of ranks may be another than when it was written.
        """
        if plain is None:
            self._plain = None
            return
        rows = range(max(len(leaf) for leaf in leaves(plain)))
        own = rank_slice(rows, rank, world_size)
        self._plain = map_state(lambda leaf: leaf[own[0] : own[-1] + 1] if own else leaf[:0], plain)


def _concatenate(parts: Sequence[Any]) -> Any:
    if not parts or parts[0] is None:
        return None
    if isinstance(parts[0], Tensor):
        return torch.cat(list(parts))
    return tuple(_concatenate(children) for children in zip(*parts, strict=True))


def _has_rows(state: State, rows: int) -> bool:
    return all(len(leaf) == rows for leaf in leaves(state))
