"""A part of a corpus in a vocabulary's numbers, read from the disk as it is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class CorpusTokens:
    """A range of a corpus; slices of it are arrays.

    The file is mapped when it is first read, and a copy in another process maps it itself: nothing
    of the text is held in memory or pickled.

    Args:
        file: The corpus's tokens.
        dtype: Their type.
        first: Where the range begins.
        last: Where it ends, exclusive.
        table: The vocabulary's number of each of the corpus's (K,); None: they are the same.
    """

    def __init__(
        self,
        file: Path,
        dtype: np.dtype[Any],
        first: int,
        last: int,
        table: NDArray[np.int64] | None = None,
    ) -> None:
        self._file = file
        self._dtype = dtype
        self._first = first
        self._last = last
        self._table = table
        self._map: NDArray[np.integer[Any]] | None = None

    def __len__(self) -> int:
        return self._last - self._first

    def __getitem__(self, part: slice, /) -> NDArray[np.integer[Any]]:
        begin, end, step = part.indices(len(self))
        if self._map is None:
            self._map = np.memmap(self._file, dtype=self._dtype, mode="r")
        found = self._map[self._first + begin : self._first + max(begin, end) : step]
        return found if self._table is None else self._table[found]

    def close(self) -> None:
        """Let go of the file; reading on maps it again."""
        self._map = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}
