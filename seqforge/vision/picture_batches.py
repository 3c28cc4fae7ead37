"""Reading pictures ahead, in threads, while a network computes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor

THREADS = 4


class Pictures(Protocol):
    """Pictures that went through an `ImageTransform`. Several threads read them at once."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> Tensor:
        """Return a picture, `(3, S, S)` uint8."""
        ...

    @property
    def keys(self) -> Sequence[str]:
        """A hash of each file's content."""
        ...


def picture_batches(pictures: Pictures, batch_size: int) -> Iterator[Tensor]:
    """Yield the pictures in order, `(batch_size, 3, S, S)` uint8, the last batch smaller.

    While one batch is worked on, the next two are read. Errors of reading are raised here.
    """
    pool = ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1), "pictures")
    try:
        numbers = iter(range(len(pictures)))
        reading: deque[Future[Tensor]] = deque(
            pool.submit(pictures.__getitem__, number) for number in islice(numbers, 2 * batch_size)
        )
        while reading:
            batch = []
            for _ in range(min(batch_size, len(reading))):
                batch.append(reading.popleft().result())
                if (number := next(numbers, None)) is not None:
                    reading.append(pool.submit(pictures.__getitem__, number))
            yield torch.stack(batch)
    finally:
        pool.shutdown(cancel_futures=True)
