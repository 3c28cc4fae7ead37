"""Where the documents of a corpus begin: in files, since there may be as many as lines of text."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqforge.corpus.tokens import CorpusTokens
from seqforge.corpus.writer import synchronise
from seqforge.errors import UserError

SEARCHED = 2**20
"""Tokens that are searched for end marks at a time."""

Positions = NDArray[np.int64]


class DocumentStarts:
    """Where documents begin in a range of a corpus, counted from its beginning; the first at 0.

    The file is mapped when it is first read; slices are arrays.

    Args:
        file: Ascending positions in the corpus, then its length.
        first: Where the range begins; a document begins there.
        last: Where it ends, exclusive.
    """

    def __init__(self, file: Path, first: int, last: int) -> None:
        places = [first + 1, max(first + 1, last)]
        inside = np.searchsorted(np.memmap(file, np.int64, mode="r"), places)
        self._later = CorpusTokens(file, np.dtype(np.int64), int(inside[0]), int(inside[1]))
        self._first = first

    def __len__(self) -> int:
        return 1 + len(self._later)

    def __getitem__(self, part: slice, /) -> NDArray[np.integer[Any]]:
        begin, end, step = part.indices(len(self))
        found = self._later[max(0, begin - 1) : max(0, end - 1)] - self._first
        return (np.append(0, found) if begin == 0 < end else found)[::step]

    def close(self) -> None:
        """Let go of the file; reading on maps it again."""
        self._later.close()


def mapped_documents(file: Path, length: int) -> Positions:
    """Return the positions in a file, mapped, with the text's length behind them.

    Args:
        file: The positions.
        length: Tokens of the text.

    Raises:
        ValueError: They are not whole: the length is not what they end with.
        OSError: They cannot be read.
    """
    documents: Positions = np.memmap(file, np.int64, mode="r")
    if documents[-1] != length:
        raise ValueError("the documents are not whole")
    return documents


def write_marked(
    file: Path, tokens: NDArray[np.integer[Any]], begins: Positions, mark: Positions
) -> None:
    """Write where documents begin in a text: where files do, and behind every end mark.

    Args:
        file: Where the positions come; it is there when it is whole.
        tokens: The text (N,).
        begins: Where files begin, ascending, and N.
        mark: The end mark (M,). Marks are found from the left; none counts at the text's end.

    Raises:
        UserError: The file cannot be written.
    """
    part = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("wb") as opened:
            for ends, first, last in _ends(tokens, mark):
                inside = begins[slice(*np.searchsorted(begins, [first, last]))]
                np.union1d(inside, ends).astype(np.int64, copy=False).tofile(opened)
            begins[-1:].tofile(opened)
        synchronise(part)
        part.replace(file)
    except OSError as error:
        raise UserError(
            f"cannot write where documents begin in '{file.parent}': {error.strerror}",
            where="data.cache",
            todo="make room there, or choose another folder: --data.cache FOLDER",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _ends(
    tokens: NDArray[np.integer[Any]], mark: Positions
) -> Iterator[tuple[Positions, int, int]]:
    """Yield the positions behind end marks, block by block, with the block's first and last."""
    size, free = len(mark), 0
    for first in range(0, len(tokens), SEARCHED):
        last = min(first + SEARCHED, len(tokens))
        begin = max(0, first - size)
        block = tokens[begin : last - 1]
        places = max(0, len(block) - size + 1)
        found = np.ones(places, dtype=bool)
        for offset, number in enumerate(mark):
            found &= block[offset : offset + places] == number
        positions = np.flatnonzero(found) + begin
        ends = _apart(positions[positions >= free], size) + size
        free = int(ends[-1]) if len(ends) else free
        yield ends, first, last


def _apart(positions: Positions, size: int) -> Positions:
    """Return positions without those that overlap one that was taken before them."""
    if not (np.diff(positions) < size).any():
        return positions
    taken: list[int] = []
    for position in positions.tolist():
        if not taken or position >= taken[-1] + size:
            taken.append(position)
    return np.array(taken)
