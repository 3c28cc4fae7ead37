"""The loader for streamed data, which is read from the front, in shards."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from seqforge.data.batch import Batch
from seqforge.data.position import PositionedLoader
from seqforge.data.shards import ShardReader, Shards, numbered
from seqforge.data.workers import watch_workers
from seqforge.errors import UserError

Sample = TypeVar("Sample")
Collate = Callable[[Sequence[int], list[Sample]], Batch]
Round = list[Batch | None]


class StreamLoader(PositionedLoader, Generic[Sample]):
    """Yields one rank's share of streamed data, without end in training.

    Each rank reads several shards at a time, batches coming from them in turn; a worker process
    does the work of some of these readers. Which reader has which shard, and in which order, is
    drawn from the seed and the number of the pass, so the batches are the same for any number of
    workers. They do depend on the number of ranks.

    The length of a stream is not known: an epoch is a stretch of `batches_per_epoch` batches on
    every rank, and the next one goes on where it ended. A reader that is through with its shards
    before others begins its next pass at once. So no rank ever waits for another, and none of the
    data is left out, however long the epochs are.

    With `fixed`, for validation, each pass begins anew, in the stored order, reads each sample at
    most once and gives fillers (see `Batch.ids`) where a reader has no more. What lies beyond
    `batches_per_epoch` batches is not read.

    To resume, the samples delivered since training began are read once more and passed over.

    Args:
        shards: The data: a `datasets.IterableDataset` or whatever offers shards.
        collate: Makes a batch from global sample numbers and their samples.
        batch_size: Samples in a batch over all ranks together.
        batches_per_epoch: Batches that every rank yields in an epoch.
        buffer: Samples of a shard among which the next one is drawn; 1 keeps a shard's order. Each
            reader holds so many in memory.
        readers: Shards that a rank reads at a time; fewer where there are not as many.
        rank: Number of this process.
        world_size: Number of processes.
        num_workers: Processes that load data, for each rank; 0 loads in place.
        seed: What orders are drawn from.
        fixed: True for validation.
        limit: Batches after which a pass ends before the epoch does; None: it does not.

    Raises:
        UserError: There are no shards or fewer than processes that read, or fewer samples in a
            batch than ranks; while iterating: there is no sample.
    """

    def __init__(
        self,
        shards: Shards[Sample],
        collate: Collate[Sample],
        batch_size: int,
        batches_per_epoch: int,
        *,
        buffer: int = 1024,
        readers: int = 8,
        rank: int = 0,
        world_size: int = 1,
        num_workers: int = 0,
        seed: int = 0,
        fixed: bool = False,
        limit: int | None = None,
    ) -> None:
        super().__init__(fixed, limit)
        if min(batch_size, batches_per_epoch, buffer, readers) < 1:
            raise ValueError("batch_size, batches_per_epoch, buffer and readers must be at least 1")
        _require_enough(shards, world_size, num_workers, readers, batch_size)
        readers = min(readers, shards.num_shards // world_size)
        self._rounds = _Rounds(
            readers=[
                ShardReader(
                    shards,
                    rank + place * world_size,
                    readers * world_size,
                    buffer,
                    seed,
                    fixed,
                )
                for place in range(readers)
            ],
            collate=collate,
            # The ranks' rows add up to the batch, which need not be a multiple of them.
            rows=batch_size * (rank + 1) // world_size - batch_size * rank // world_size,
        )
        self._batches_per_epoch = batches_per_epoch
        self._world_size = world_size
        self._num_workers = num_workers
        self._seed = seed
        self._taken = 0
        self._running: Generator[Batch, None, None] | None = None

    def __len__(self) -> int:
        return self._batches_per_epoch

    def position(self) -> dict[str, int]:
        """Return the epoch, its batches delivered so far, all delivered so far, and the ranks."""
        return {**super().position(), "taken": self._taken, "world_size": self._world_size}

    def restore(
        self, epoch: int, delivered: int, taken: int | None = None, world_size: int | None = None
    ) -> None:
        """Go on after `delivered` batches of `epoch`.

        Args:
            epoch: Number of the epoch.
            delivered: Batches of it.
            taken: All batches so far; None: as many as full epochs have.
            world_size: Number of ranks that read so far; None: as many as now.

        Raises:
            UserError: It was another number than now: the stream is shared out differently.
        """
        if world_size not in (None, self._world_size):
            raise UserError(
                f"streamed data was read by {world_size} processes so far, now {self._world_size}: "
                "nobody can tell what is left of it",
                todo=f"resume on {world_size} processes",
            )
        super().restore(epoch, delivered)
        self._taken = epoch * len(self) + delivered if taken is None else taken
        self.close()

    def close(self) -> None:
        """End the worker processes; a later pass reads all that was delivered once more."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def _batches(self, epoch: int, first: int, end: int) -> Iterator[Batch]:
        if self._fixed:
            yield from islice(self._stream(first), end - first)
            return
        if self._running is None:
            self._running = self._stream(self._taken)
            # Left to the collector of garbage, workers would not hear that they may end.
            weakref.finalize(self, self._running.close)
        # Workers live on from epoch to epoch: started anew, they would have to read all again.
        for _ in range(first, end):
            batch = next(self._running)
            self._taken += 1
            yield batch

    def _stream(self, taken: int) -> Generator[Batch, None, None]:
        return _stream(self._rounds, taken, self._num_workers, self._seed)


def _stream(
    rounds: _Rounds[Sample], taken: int, num_workers: int, seed: int
) -> Generator[Batch, None, None]:
    """Yield a rank's batches without end, from number `taken` on."""
    first, passed_over = divmod(taken, len(rounds.readers))
    processes = max(1, num_workers)
    loader = DataLoader(
        _Remaining(rounds, first),
        batch_size=None,
        num_workers=num_workers,
        collate_fn=_as_it_is,
        generator=torch.Generator().manual_seed(seed),
        pin_memory=torch.cuda.is_available(),
    )
    parts = watch_workers(iter(loader))
    while True:
        batches: Round = [None] * len(rounds.readers)
        for process in range(processes):
            batches[process::processes] = next(parts)
        for batch in batches[passed_over:]:
            if batch is None:
                raise UserError("the stream has no sample: all of its shards are empty")
            yield batch
        passed_over = 0


@dataclass(frozen=True)
class _Rounds(Generic[Sample]):
    """What worker processes do: in each round every reader makes one batch."""

    readers: Sequence[ShardReader[Sample]]
    collate: Collate[Sample]
    rows: int

    def batches(self, reader: ShardReader[Sample], passed_over: int) -> Iterator[Batch | None]:
        """Yield a reader's batches, then fillers; None where there is no sample for one."""
        samples = islice(reader, passed_over * self.rows, None)
        while drawn := list(islice(samples, self.rows)):
            numbers, values = zip(*drawn, strict=True)
            yield self.collate(numbers, list(values))
        shards = range(reader.shards.num_shards)
        every = (sample for shard in shards for sample in numbered(reader.shards, shard))
        spare = next(every, None)
        filler = None if spare is None else self.collate([-1 - spare.number], [spare.sample])
        while True:
            yield filler


class _Remaining(IterableDataset[Round], Generic[Sample]):
    """The rounds from a given one on; a worker process does those of its readers."""

    def __init__(self, rounds: _Rounds[Sample], first: int) -> None:
        self.rounds = rounds
        self.first = first

    def __iter__(self) -> Iterator[Round]:
        worker = get_worker_info()
        mine = slice(0, None, 1) if worker is None else slice(worker.id, None, worker.num_workers)
        readers = [self.rounds.batches(each, self.first) for each in self.rounds.readers[mine]]
        while True:
            yield [next(reader) for reader in readers]


def _as_it_is(batches: Round) -> Round:
    return batches


def _require_enough(
    shards: object, world_size: int, num_workers: int, readers: int, batch_size: int
) -> None:
    if not isinstance(shards, Shards):
        raise UserError(
            f"streamed data of type {type(shards).__name__} offers no shards",
            todo="give a datasets.IterableDataset, or an object with num_shards and shard()",
        )
    needed = world_size * max(1, num_workers)
    if shards.num_shards < needed:
        raise UserError(
            f"{shards.num_shards} shards are too few for {world_size} processes with "
            f"{num_workers} workers each, {needed} that read",
            todo=f"use {needed} shards or more, fewer processes, or a smaller num_workers",
        )
    if num_workers > readers:
        raise UserError(
            f"{num_workers} workers have only {readers} shards to read at a time",
            todo=f"raise readers to {num_workers}, or lower num_workers",
        )
    if batch_size < world_size:
        raise UserError(
            f"a batch_size of {batch_size} is less than one sample for each of {world_size} "
            "processes",
            todo=f"raise batch_size to {world_size} or more",
        )
