"""Two files, one for each language, aligned line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from seqforge.corpus import read_lines
from seqforge.errors import UserError
from seqforge_tasks.translation.parallel.pair import Pair


class AlignedFiles:
    """Line i of one file is the translation of line i of the other.

    Args:
        source: A UTF-8 file; with the ending `.gz` it is unpacked on the way.
        target: Another.
    """

    def __init__(self, source: Path, target: Path) -> None:
        self.source = source
        self.target = target

    @property
    def name(self) -> str:
        """Both files."""
        return f"{self.source}, {self.target.name}"

    def pairs(self) -> Iterator[Pair]:
        """Yield the pairs.

        Raises:
            UserError: A file cannot be read or is not UTF-8, or one of them has more lines.
        """
        both = zip_longest(read_lines(self.source), read_lines(self.target))
        for line, (source, target) in enumerate(both, start=1):
            if source is None or target is None:
                raise self._of_different_length()
            yield Pair(source.removesuffix("\n"), target.removesuffix("\n"), line)

    def _of_different_length(self) -> UserError:
        first, second = (
            [len(line) for line in read_lines(each)] for each in (self.source, self.target)
        )
        return UserError(
            f"the files are not aligned: '{self.source.name}' has {len(first):,} lines, "
            f"'{self.target.name}' {len(second):,}",
            where=str(self.source.parent),
            todo=f"look near line {parting_line(first, second):,}, where they seem to part, "
            "and mend the file that lacks a line there or has one too many",
        )


def parting_line(first: Sequence[int], second: Sequence[int]) -> int:
    """Guess where two texts of different numbers of lines stop being translations of each other.

    As in Gale & Church (1993), a text is about as long as its translation. Of all lines at which
    the lines that one text has more might stand, in one block, that is taken which makes the
    remaining pairs' lengths agree best.

    Args:
        first: Characters of each line.
        second: Likewise; another number of lines.

    Returns:
        The line, from 1 on.
    """
    short, long = (
        np.log1p(np.asarray(each, dtype=np.float64)) for each in sorted((first, second), key=len)
    )
    before = np.abs(short - long[: len(short)])
    after = np.abs(short - long[len(long) - len(short) :])
    # Cut k: the first k pairs are aligned from the beginning, the others from the end.
    costs = np.concatenate([[0.0], np.cumsum(before)]) + np.concatenate(
        [np.cumsum(after[::-1])[::-1], [0.0]]
    )
    return int(np.argmin(costs)) + 1
