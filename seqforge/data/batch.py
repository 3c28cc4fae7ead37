"""`Batch`: what every batch has; and what samples are read from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

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

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """Return the batch with every tensor on `device`."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """Return the batch in page-locked memory, for asynchronous copies to a GPU."""
        return self._map(lambda tensor: tensor.pin_memory())


@runtime_checkable
class Samples(Protocol[Sample]):
    """Random access to samples by global number; any map-style data set is one."""

    def __getitem__(self, index: int, /) -> Sample:
        """Return sample number `index`."""
        ...
