"""`Chunks`: the rows of a large table, a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from seqforge_tasks.forecasting.series.reading.cells import as_numbers
from seqforge_tasks.forecasting.series.reading.places import Places
from seqforge_tasks.forecasting.series.reading.raw_table import RawTable


class Chunks:
    """Gathers the columns that matter: numbers in one array, texts as categories.

    Args:
        numbers: Columns of numbers (M,).
        others: Other columns.
        places: What rows are called.
        rows: How many rows there will be, at most.
    """

    def __init__(
        self, numbers: Sequence[str], others: Sequence[str], places: Places, rows: int
    ) -> None:
        self.numbers = list(numbers)
        self.others = list(others)
        self.places = places
        self.count = 0
        # Of the right size at once: joining parts would take twice the memory.
        self._cells = np.empty((len(numbers), rows))
        self._others: dict[str, list[pd.Series[Any]]] = {name: [] for name in others}

    def add(self, chunk: pd.DataFrame) -> None:
        """Take up the next rows.

        Args:
            chunk: With all columns.

        Raises:
            UserError: A cell is no number.
        """
        for name, parts in self._others.items():
            parts.append(chunk[name])
        room = self._cells[:, self.count : self.count + len(chunk)]
        # One column after the other: all together would be another copy of the chunk.
        for index, name in enumerate(self.numbers):
            room[index] = as_numbers(chunk[name], self.places, self.count)
        self.count += len(chunk)

    def table(self) -> RawTable:
        """Return all rows that were taken up, without empty ones; this empties the chunks.

        Lines without any date, name or number are left out if there are dates or names. Without
        them only those at the end are: others are steps.
        """
        others = {name: joined(self._others.pop(name)) for name in self.others}
        cells = self._cells[:, : self.count]
        empty = np.ones(self.count, bool)
        for row in cells:
            if not empty.any():
                break
            empty &= np.isnan(row)
        for column in others.values():
            empty &= column.isna().to_numpy()
        if not others and empty.any():
            empty[: self.count - int((~empty)[::-1].argmax())] = False
        if not empty.any():
            return RawTable(cells, others, self.places)
        rows = np.flatnonzero(~empty)
        kept = {name: column.iloc[rows] for name, column in others.items()}
        return RawTable(np.take(cells, rows, axis=1), kept, replace(self.places, rows=rows))


def joined(parts: list[pd.Series[Any]]) -> pd.Series[Any]:
    """Return the parts of a column as one, texts as categories.

    Args:
        parts: At least one; the list is emptied.
    """
    name = parts[0].name
    if isinstance(parts[0].dtype, pd.CategoricalDtype):
        whole = pd.Series(types.union_categoricals(parts), name=name)
    else:
        whole = pd.concat(parts, ignore_index=True)
    parts.clear()
    return whole
