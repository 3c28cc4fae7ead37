"""Many short texts or sequences in one array each: compact, and shared by worker processes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PackedTexts:
    """Texts by number, kept as one array of UTF-8 and one of where they begin.

    A list of strings takes several times the memory, and each worker process its own copy.

    Args:
        texts: The texts, read once; a lone surrogate becomes a question mark.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        data, starts = bytearray(), array("q", [0])
        for text in texts:
            data += text.encode("utf-8", "replace")
            starts.append(len(data))
        self._data = np.frombuffer(bytes(data), dtype=np.uint8)
        self._starts = np.frombuffer(starts, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self):
            raise IndexError(f"text {index} of {len(self)}")
        return self._data[self._starts[index] : self._starts[index + 1]].tobytes().decode("utf-8")


class PackedNumbers:
    """Sequences of numbers, none negative, kept as one flat array and where they begin.

    Args:
        sequences: The sequences, read once.
        below: What all numbers are below: it decides how many bytes each takes.

    Attributes:
        lengths: Of each sequence (N,).
    """

    def __init__(self, sequences: Iterable[Sequence[int]], below: int) -> None:
        dtype = np.min_scalar_type(max(0, below - 1))
        flat, starts = array(dtype.char), array("q", [0])
        for sequence in sequences:
            flat.extend(sequence)
            starts.append(len(flat))
        self._flat: NDArray[np.integer[Any]] = np.frombuffer(flat, dtype=dtype)
        self._starts = np.frombuffer(starts, dtype=np.int64)
        self.lengths: NDArray[np.int64] = np.diff(self._starts)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: int) -> NDArray[np.int64]:
        if not 0 <= index < len(self):
            raise IndexError(f"sequence {index} of {len(self)}")
        return self._flat[self._starts[index] : self._starts[index + 1]].astype(np.int64)
