"""Features that take the place of pictures, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqforge_tasks.captioning.photos.photos import Part

FeatureArray = NDArray[np.float16]
"""`(N, P, C)`, of N pictures in the order of their numbers."""


class Features:
    """Features by the number of their picture, the same memory for all processes.

    An array that is mapped from a file would be copied where it is sent to a worker process that is
    no fork. Instead the file is mapped there once more.

    Args:
        array: `(N, P, C)` float16.
    """

    def __init__(self, array: FeatureArray) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def rows(self, numbers: Sequence[int]) -> Tensor:
        """Return the features of pictures `(B, P, C)`, float16."""
        return torch.from_numpy(np.ascontiguousarray(self._array[list(numbers)]))

    def __getstate__(self) -> dict[str, Any]:
        array = self._array
        if not isinstance(array, np.memmap) or array.filename is None:
            return {"array": array}
        layout = {"dtype": array.dtype, "shape": array.shape, "offset": array.offset}
        return {"file": str(array.filename), "layout": layout}

    def __setstate__(self, state: dict[str, Any]) -> None:
        file = state.get("file")
        self._array = (
            state["array"] if file is None else np.memmap(file, mode="r", **state["layout"])
        )


@dataclass
class ServedFeatures:
    """What the batches of a data module carry beside, or instead of, their pictures.

    One object for all loaders, so that it does not matter whether features come before a loader is
    made or after.

    Attributes:
        training: Of the training photos; None: their pictures are decoded.
        until_epoch: The first epoch in which training is given pictures again; None: never.
        evaluated: Of the photos of other parts.
    """

    training: Features | None = None
    until_epoch: int | None = None
    evaluated: dict[Part, Features] = field(default_factory=dict)

    def in_epoch(self, epoch: int) -> Features | None:
        """Return the features that the training batches of an epoch carry instead of pictures."""
        if self.until_epoch is not None and epoch >= self.until_epoch:
            return None
        return self.training
