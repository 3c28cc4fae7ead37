"""The state that goes from batch to batch in truncated backpropagation through time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from seqforge.data.plan import rank_slice
from seqforge.state import (
    State,
    concatenate,
    detach,
    from_plain,
    map_state,
    reset,
    row_leaves,
    select_items,
    to_plain,
)

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
        self._begun = True
        self._saved: tuple[Any, int, int] | None = None

    def take(self, task: Task, batch: Batch) -> State:
        """Return the state for a batch: carried on, except for rows that `batch.starts` marks.

        A batch with another number of rows than the last one starts afresh.
        """
        rows = len(batch.ids)
        goes_on = batch.starts is None and self._saved is None and self._state is not None
        if goes_on and _has_rows(self._state, rows):
            return self._state  # nothing of a start state is wanted
        start = task.start(rows)
        self._begun = start is not None
        if start is None:
            return None
        if self._saved is not None:
            self._state, self._saved = _own_rows(*self._saved, start), None
        if self._state is None or not _has_rows(self._state, rows):
            return start
        return self._state if batch.starts is None else reset(self._state, batch.starts, start)

    def put(self, state: State) -> None:
        """Keep the state that a batch ended with, cut from its graph.

        Raises:
            TypeError: The task returns a state, but its `start` gives none to begin with.
        """
        if state is not None and not self._begun:
            raise TypeError("the task's loss returns a state, but its start() gives none")
        self._state = None if state is None else detach(state)

    def clear(self) -> None:
        """Forget the state, at the beginning of an epoch."""
        self._state = self._saved = None

    def gather(self, world_size: int) -> Any:
        """Return the rows of all ranks as nested tuples of tensors, for a checkpoint.

        A collective call: every rank must make it.
        """
        if self._saved is not None:  # no batch since it was restored
            return self._saved[0]
        if world_size == 1:
            return None if self._state is None else to_plain(self._state)
        own = map_state(lambda leaf: leaf.cpu(), self._state)
        parts: list[Any] = [None] * world_size
        torch.distributed.all_gather_object(parts, own)
        present = [part for part in parts if part is not None]
        return to_plain(concatenate(present)) if present else None

    def restore(self, plain: Any, rank: int, world_size: int) -> None:
        """Take up this rank's rows of a checkpoint at the next batch.

        The number of ranks may be another than when it was written.
        """
        self._saved = None if plain is None else (plain, rank, world_size)


def _has_rows(state: State, rows: int) -> bool:
    return all(len(leaf) == rows for leaf in row_leaves(state))


def _own_rows(plain: Any, rank: int, world_size: int, start: State) -> State:
    state = from_plain(plain, start)
    count = max((len(leaf) for leaf in row_leaves(state)), default=0)
    own = rank_slice(range(count), rank, world_size)
    return select_items(state, torch.tensor(own, dtype=torch.int64))
