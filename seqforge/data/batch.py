"""`Batch`: what every batch has; and what samples are read from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor

Sample = TypeVar("Sample", covariant=True)


@dataclass(kw_only=True)
class Batch:
    """What every batch has; tasks add their own tensors in a dataclass derived from this one.

    A field may itself be a batch, as where tasks are trained jointly.

    Attributes:
        ids: Global sample numbers (B,). A batch whose ids are all negative is a filler: a rank that
            has no sample of a short global batch runs it with weight zero, so that all ranks take
            the same steps.
        starts: Rows whose carried state is reset before this batch (B,), bool; None: no row.
    """

    ids: Tensor
    starts: Tensor | None = None

    def _map(self, function: Callable[[Tensor], Tensor]) -> Self:
        changes: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                changes[field.name] = function(value)
            elif isinstance(value, Batch):
                changes[field.name] = value._map(function)
        return replace(self, **changes)

    @property
    def is_filler(self) -> bool:
        """Whether the batch only keeps ranks in step: see `ids`."""
        return bool((self.ids < 0).all())

    def size(self) -> tuple[int, str]:
        """Return how much a batch holds and of what, for the rate that is shown in training."""
        return len(self.ids), "samples"

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """Return the batch with every tensor on `device`."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """Return the batch in page-locked memory, for asynchronous copies to a GPU."""
        return self._map(lambda tensor: tensor.pin_memory())


class Draw(NamedTuple):
    """What random choices for a sample may depend on: nothing else makes them repeatable.

    Attributes:
        seed: The run's seed.
        epoch: The epoch.
        number: The sample's global number.
    """

    seed: int
    epoch: int
    number: int

    def generator(self) -> np.random.Generator:
        """Return a generator for this sample in this epoch, whatever process asks for it."""
        return np.random.default_rng([self.seed, self.epoch, self.number])


@runtime_checkable
class RandomSamples(Protocol[Sample]):
    """Samples that look different in each epoch, as augmented images do.

    Training loaders call `draw`; evaluation reads samples by their number, as they are.
    """

    def draw(self, draw: Draw, /) -> Sample:
        """Return sample `draw.number` with the random choices of this epoch."""
        ...


@runtime_checkable
class Samples(Protocol[Sample]):
    """Random access to samples by global number; any map-style data set is one."""

    def __getitem__(self, index: int, /) -> Sample:
        """Return sample number `index`."""
        ...
