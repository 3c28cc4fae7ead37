"""Plans: which samples make up which batch, as pure functions of (seed, epoch, index).

A plan speaks of global batches; each rank takes its slice. Since nothing is drawn from a running
generator, the order of samples depends neither on the number of workers or ranks nor on whether a
run was interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Plan(Protocol):
    """The one idea of a sampler in seqforge."""

    def batches(self) -> int:
        """Return the number of batches in an epoch: the same every epoch.

        Lightning keeps the first epoch's length for good, without a word.
        """
        ...

    def batch(self, epoch: int, index: int) -> Sequence[int]:
        """Return the global sample numbers of batch `index` of `epoch`."""
        ...


class ShuffledPlan:
    """Every sample once an epoch, in an order drawn from (seed, epoch).

    Args:
        size: Number of samples.
        batch_size: Samples in a batch; the last one may be shorter.
        seed: What the order is drawn from.
    """

    def __init__(self, size: int, batch_size: int, seed: int = 0) -> None:
        _require_positive(size=size, batch_size=batch_size)
        self.size = size
        self.batch_size = batch_size
        self.seed = seed

    def batches(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-self.size // self.batch_size)

    def batch(self, epoch: int, index: int) -> Sequence[int]:
        """Return the global sample numbers of batch `index` of `epoch`."""
        order = _permutation(self.size, self.seed, epoch)
        first = index * self.batch_size
        chosen: list[int] = order[first : first + self.batch_size].tolist()
        return chosen


class SequentialPlan:
    """Every sample once, in order: for validation, test and prediction.

    Args:
        size: Number of samples.
        batch_size: Samples in a batch; the last one may be shorter.
    """

    def __init__(self, size: int, batch_size: int) -> None:
        _require_positive(size=size, batch_size=batch_size)
        self.size = size
        self.batch_size = batch_size

    def batches(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-self.size // self.batch_size)

    def batch(self, epoch: int, index: int) -> Sequence[int]:
        """Return the global sample numbers of batch `index`; the same in every epoch."""
        first = index * self.batch_size
        return range(first, min(first + self.batch_size, self.size))


class LanePlan:
    """Contiguous lanes: row `i` of batch `t + 1` goes on where row `i` of batch `t` ended.

    Sample number `lane * chunks + chunk` is chunk number `chunk` of a lane, so a state can be
    carried from batch to batch (truncated backpropagation through time).

    Args:
        lanes: Rows of every batch.
        chunks: Chunks in each lane, hence batches in an epoch.
    """

    def __init__(self, lanes: int, chunks: int) -> None:
        _require_positive(lanes=lanes, chunks=chunks)
        self.lanes = lanes
        self.chunks = chunks

    def batches(self) -> int:
        """Return the number of batches in an epoch."""
        return self.chunks

    def batch(self, epoch: int, index: int) -> Sequence[int]:
        """Return chunk `index` of every lane; the same in every epoch."""
        return range(index, self.lanes * self.chunks, self.chunks)


def rank_slice(batch: Sequence[int], rank: int, world_size: int) -> Sequence[int]:
    """Return the contiguous part of a global batch that one rank computes.

    Parts differ by at most one sample, and may be empty when the batch is shorter than the number
    of ranks.
    """
    return batch[len(batch) * rank // world_size : len(batch) * (rank + 1) // world_size]


@lru_cache(maxsize=2)  # an order of millions of samples takes tens of megabytes
def _permutation(size: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(size)


def _require_positive(**values: int) -> None:
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"a plan needs {name} of at least 1, not {value}")
