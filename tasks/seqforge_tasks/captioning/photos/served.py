"""Features that take the place of pictures, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from seqforge_tasks.captioning.photos.photos import Part
from seqforge_tasks.captioning.seen import Seen

FeatureArray = NDArray[np.float16]
"""`(N, P, C)`, of N pictures in the order of their numbers, or of the frames of all clips."""


class Features:
    """Features by the number of their picture or clip, the same memory for all processes.

    An array that is mapped from a file would be copied where it is sent to a worker process that is
    no fork. Instead the file is mapped there once more.

    Args:
        array: `(N, P, C)` float16.
        frames: How many frames each clip has, whose features are rows of `(N, 1, C)`, one clip
            after the other; None: each row is of a picture.

    Raises:
        ValueError: The clips have more or fewer frames than there are rows.
    """

    def __init__(self, array: FeatureArray, frames: Sequence[int] | None = None) -> None:
        self._array = array
        self._ends = None if frames is None else np.cumsum(frames, dtype=np.int64)
        if self._ends is not None and self._ends[-1] != len(array):
            raise ValueError(f"features of {len(array)} frames for {self._ends[-1]} of clips")

    def rows(self, numbers: Sequence[int]) -> Seen:
        """Return the features of pictures `(B, P, C)`, or of clips `(B, F, C)`, float16."""
        if self._ends is None:
            return Seen(torch.from_numpy(np.ascontiguousarray(self._array[list(numbers)])))
        ends = self._ends
        clips = [self._array[ends[n - 1] if n else 0 : ends[n], 0] for n in numbers]
        found = [torch.from_numpy(np.array(clip)) for clip in clips]
        return Seen(
            pad_sequence(found, batch_first=True), torch.tensor([len(clip) for clip in clips])
        )

    def __getstate__(self) -> dict[str, Any]:
        array, ends = self._array, {"ends": self._ends}
        if not isinstance(array, np.memmap) or array.filename is None:
            return {"array": array} | ends
        layout = {"dtype": array.dtype, "shape": array.shape, "offset": array.offset}
        return {"file": str(array.filename), "layout": layout} | ends

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._ends = state["ends"]
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
