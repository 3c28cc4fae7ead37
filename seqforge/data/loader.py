"""The loader that follows a plan and knows where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from seqforge.data.batch import Batch, Samples
from seqforge.data.plan import Plan, rank_slice

Sample = TypeVar("Sample")
Collate = Callable[[Sequence[int], list[Sample]], Batch]


class PlanLoader(Generic[Sample]):
    """Yields one rank's share of a plan's batches, and counts those it has delivered.

    The position is counted when a batch is handed over, not when it is sampled: batches that
    workers had fetched ahead are not lost when a run is resumed. Each pass counts one epoch.

    Args:
        samples: Random access to the samples.
        plan: Which samples make up which batch.
        collate: Makes a batch from global sample numbers and their samples.
        rank: Number of this process.
        world_size: Number of processes.
        num_workers: Processes that load data; 0 loads in place.
        seed: Seed of the workers' own generators (nothing that matters is drawn from them).
        fixed: True for validation: every pass is epoch 0.

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
    ) -> None:
        self.samples = samples
        self.plan = plan
        self.collate = collate
        self._rank = rank
        self._world_size = world_size
        self._num_workers = num_workers
        self._seed = seed
        self._fixed = fixed
        self._epoch = 0
        self._delivered = 0

    def __len__(self) -> int:
        return self.plan.batches()

    def __iter__(self) -> Iterator[Batch]:
        if self._delivered >= len(self):
            self._advance()
        # A generator of its own: otherwise each pass draws a base seed from the global one, at
        # another moment in a resumed run than in one that was never interrupted.
        loader = DataLoader(
            _NumberedSamples(self.samples),
            batch_sampler=self._remaining(),
            collate_fn=_NumberedCollate(self.collate),
            num_workers=self._num_workers,
            generator=torch.Generator().manual_seed(self._seed),
            pin_memory=torch.cuda.is_available(),
        )
        for batch in loader:
            self._delivered += 1
            yield batch
        self._advance()

    def position(self) -> dict[str, int]:
        """Return the epoch and the number of its batches delivered so far."""
        return {"epoch": self._epoch, "delivered": self._delivered}

    def restore(self, epoch: int, delivered: int) -> None:
        """Go on after `delivered` batches of `epoch`."""
        self._epoch = epoch
        self._delivered = delivered

    def _advance(self) -> None:
        self._delivered = 0
        if not self._fixed:
            self._epoch += 1

    def _remaining(self) -> Iterator[list[int]]:
        for index in range(self._delivered, len(self)):
            batch = self.plan.batch(self._epoch, index)
            part = rank_slice(batch, self._rank, self._world_size)
            # -1 - n marks sample n as a filler: see `Batch.ids`.
            yield list(part) if len(part) else [-1 - batch[0]]


class _NumberedSamples(Dataset[tuple[int, Sample]]):
    """Pairs each sample with its number, so that collate knows it inside a worker process."""

    def __init__(self, samples: Samples[Sample]) -> None:
        self.samples = samples

    def __getitem__(self, number: int) -> tuple[int, Sample]:
        return number, self.samples[number if number >= 0 else -1 - number]


class _NumberedCollate(Generic[Sample]):
    def __init__(self, collate: Collate[Sample]) -> None:
        self.collate = collate

    def __call__(self, pairs: list[tuple[int, Sample]]) -> Batch:
        numbers, samples = zip(*pairs, strict=True)
        return self.collate(numbers, list(samples))
