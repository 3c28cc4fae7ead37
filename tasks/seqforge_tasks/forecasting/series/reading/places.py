"""Where in a source something stands, in the words of messages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Places:
    """Names the rows of a source.

    Attributes:
        source: The file, or another name of what was read.
        word: What its rows are called: "line" of a text file, "row" of others.
        first: Number of the first row.
        rows: Which rows of the source were read (R,); None: all of them.
    """

    source: str
    word: str = "row"
    first: int = 0
    rows: NDArray[np.int64] | None = None

    def row(self, row: int) -> str:
        """Return a row that was read by its place in the source, such as "line 17"."""
        number = row if self.rows is None else int(self.rows[row])
        return f"{self.word} {number + self.first}"

    def at(self, row: int) -> str:
        """Return the source and a row, for an error's `where`."""
        return f"{self.source}, {self.row(row)}"
