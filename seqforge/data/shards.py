"""Streamed data in shards: who reads which, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast, runtime_checkable

import numpy as np

Sample = TypeVar("Sample")
Yielded = TypeVar("Yielded", covariant=True)


@runtime_checkable
class Shards(Protocol[Yielded]):
    """Data that can only be read from the front, in parts; `datasets.IterableDataset` is one."""

    @property
    def num_shards(self) -> int:
        """Number of parts."""
        ...

    def shard(self, num_shards: int, index: int) -> Iterable[Yielded]:
        """Return part `index` of `num_shards`; it can be read any number of times."""
        ...


@runtime_checkable
class _Table(Protocol):
    def iter(self, batch_size: int) -> Iterator[Mapping[str, Sequence[Any]]]: ...


class Numbered(NamedTuple, Generic[Sample]):
    """A sample and its number, the same in every pass, for any number of processes."""

    number: int
    sample: Sample


@dataclass(frozen=True)
class ShardReader(Generic[Sample]):
    """Reads the share of one out of `readers` parallel readers, pass after pass.

    In every pass the shards are shuffled and dealt out anew, so that a small shard is not read more
    often than others for good. Within a pass no shard is read twice. The order of a shard's samples
    is drawn from the seed, the pass and the shard alone.

    Args:
        shards: The data.
        reader: Number of this reader.
        readers: Number of readers.
        buffer: Samples among which the next one is drawn at random.
        seed: What orders are drawn from.
        fixed: One pass only, in the stored order.
    """

    shards: Shards[Sample]
    reader: int
    readers: int
    buffer: int
    seed: int
    fixed: bool

    def __iter__(self) -> Iterator[Numbered[Sample]]:
        # Shards are dealt out at random: a reader may meet empty ones only, for a while.
        empty: set[int] = set()
        for turn in count():
            for shard in self._dealt(turn):
                samples = numbered(self.shards, shard)
                first = next(samples, None)
                if first is None:
                    empty.add(shard)
                    continue
                yield from self._shuffled(first, samples, turn, shard)
            if self.fixed or len(empty) == self.shards.num_shards:
                return

    def _dealt(self, turn: int) -> list[int]:
        order = np.arange(self.shards.num_shards)
        if not self.fixed:
            order = np.random.default_rng([self.seed, turn]).permutation(order)
        return [int(shard) for shard in order[self.reader :: self.readers]]

    def _shuffled(
        self, first: Numbered[Sample], rest: Iterator[Numbered[Sample]], turn: int, shard: int
    ) -> Iterator[Numbered[Sample]]:
        waiting = [first]
        generator = np.random.default_rng([self.seed, turn, shard])
        size = 1 if self.fixed else self.buffer
        for sample in rest:
            if len(waiting) < size:
                waiting.append(sample)
                continue
            place = int(generator.integers(size)) if size > 1 else 0
            yield waiting[place]
            waiting[place] = sample
        for place in generator.permutation(len(waiting)):
            yield waiting[place]


def numbered(shards: Shards[Sample], shard: int) -> Iterator[Numbered[Sample]]:
    """Read one shard in its stored order.

    A shard that offers `iter(batch_size)`, as those of `datasets` do, is read by it: its plain
    iteration would be shared out over the loader's worker processes once more, so that all but the
    first of them got nothing.
    """
    total = shards.num_shards
    part = shards.shard(num_shards=total, index=shard)
    samples = cast(Iterable[Sample], _rows(part)) if isinstance(part, _Table) else part
    for place, sample in enumerate(samples):
        yield Numbered(place * total + shard, sample)


def _rows(part: _Table) -> Iterator[dict[str, Any]]:
    for row in part.iter(batch_size=1):
        yield {name: column[0] for name, column in row.items()}
