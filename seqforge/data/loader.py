"""The loader that follows a plan and knows where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from seqforge.data.batch import Batch, Draw, RandomSamples, Samples
from seqforge.data.plan import Plan, rank_slice
from seqforge.data.position import PositionedLoader
from seqforge.data.workers import watch_workers

Sample = TypeVar("Sample")
Collate = Callable[[Sequence[int], list[Sample]], Batch]


class PlanLoader(PositionedLoader, Generic[Sample]):
    """Yields one rank's share of a plan's batches, and counts those it has delivered.

    Args:
        samples: Random access to the samples.
        plan: Which samples make up which batch.
        collate: Makes a batch from global sample numbers and their samples.
        rank: Number of this process.
        world_size: Number of processes.
        num_workers: Processes that load data; 0 loads in place.
        seed: What samples draw from that offer to (see `RandomSamples`).
        fixed: True for validation: every pass is epoch 0.
        limit: Batches after which a pass ends before the plan does; None: it does not.

    Attributes:
        samples: As given: `loader.samples[number]` is one sample, apart from any batch.
        plan: As given.
        collate: As given.
    """

    def __init__(
        self,
        samples: Samples[Sample],
        plan: Plan,
        collate: Collate[Sample],
        *,
        rank: int = 0,
        world_size: int = 1,
        num_workers: int = 0,
        seed: int = 0,
        fixed: bool = False,
        limit: int | None = None,
    ) -> None:
        super().__init__(fixed, limit)
        self.samples = samples
        self.plan = plan
        self.collate = collate
        self._rank = rank
        self._world_size = world_size
        self._num_workers = num_workers
        self._seed = seed

    def __len__(self) -> int:
        return self.plan.batches()

    def _batches(self, epoch: int, first: int, end: int) -> Iterator[Batch]:
        # A generator of its own: otherwise each pass draws a base seed from the global one, at
        # another moment in a resumed run than in one that was never interrupted.
        loader = DataLoader(
            _NumberedSamples(self.samples, None if self._fixed else Draw(self._seed, epoch, 0)),
            batch_sampler=self._parts(epoch, range(first, end)),
            collate_fn=_NumberedCollate(self.collate),
            num_workers=self._num_workers,
            generator=torch.Generator().manual_seed(self._seed),
            pin_memory=torch.cuda.is_available(),
        )
        yield from watch_workers(iter(loader))

    def _parts(self, epoch: int, indices: range) -> Iterator[list[int]]:
        for index in indices:
            batch = self.plan.batch(epoch, index)
            part = rank_slice(batch, self._rank, self._world_size)
            # -1 - n marks sample n as a filler: see `Batch.ids`.
            yield list(part) if len(part) else [-1 - batch[0]]


class _NumberedSamples(Dataset[Sample]):
    """Puts the samples of a batch beside their numbers, so that collate knows them in a worker."""

    def __init__(self, samples: Samples[Sample], draw: Draw | None) -> None:
        self.samples = samples
        self.draw = draw
        # Asked once: checking a protocol takes longer than reading a small sample.
        self.random: RandomSamples[Sample] | None = None
        if draw is not None and isinstance(samples, RandomSamples):
            self.random = samples

    def __getitems__(self, numbers: list[int]) -> tuple[list[int], list[Sample]]:
        """Return a whole batch: what PyTorch's fetcher asks for, where it can."""
        places = [number if number >= 0 else -1 - number for number in numbers]
        if self.draw is not None and self.random is not None:
            draws = [self.draw._replace(number=place) for place in places]
            return numbers, [self.random.draw(draw) for draw in draws]
        return numbers, [self.samples[place] for place in places]


class _NumberedCollate(Generic[Sample]):
    def __init__(self, collate: Collate[Sample]) -> None:
        self.collate = collate

    def __call__(self, batch: Any) -> Batch:  # what `__getitems__` gives; PyTorch says a list
        return self.collate(*batch)
