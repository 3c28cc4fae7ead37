"""Series in pandas frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading.assembly import read_source
from seqforge_tasks.forecasting.series.reading.cells import as_numbers
from seqforge_tasks.forecasting.series.reading.places import Places
from seqforge_tasks.forecasting.series.reading.raw_table import RawTable
from seqforge_tasks.forecasting.series.reading.reading import Reading

SAMPLE = 1000
"""Rows that show what columns are."""


def panel_from_frame(frame: pd.DataFrame, layout: Layout | None = None) -> Reading:
    """Read the series of a frame; an index with a name or with dates counts as its first column.

    Args:
        frame: Wide, long or ragged, as a file would be; it is left as it is.
        layout: What its columns mean; None: found out.

    Raises:
        UserError: Its contents are refused.
    """
    layout = layout or Layout()
    return read_source(FrameSource(frame, layout.name), layout)


class FrameSource:
    """The rows of a frame.

    Args:
        frame: The frame.
        name: Its name in messages.

    Raises:
        UserError: Two columns have one name, or a column's name has several levels.
    """

    def __init__(self, frame: pd.DataFrame, name: str) -> None:
        self.places = Places(name)
        self._frame = _with_index(frame)
        columns = self._frame.columns
        twice = [] if columns.nlevels > 1 else list(columns[columns.astype(str).duplicated()])
        if len(twice) or columns.nlevels > 1:
            problem = f"the column '{twice[0]}' twice" if len(twice) else "columns in levels"
            raise UserError(
                f"the frame has {problem}", where=name, todo="give each column one name of its own"
            )
        self._frame = self._frame.set_axis(columns.astype(str), axis=1)

    def sample(self) -> pd.DataFrame:
        """See `Source`."""
        return self._frame.iloc[:SAMPLE]

    def read(self, numbers: Sequence[str], others: Sequence[str]) -> RawTable:
        """See `Source`."""
        cells = np.empty((len(numbers), len(self._frame)))
        for index, name in enumerate(numbers):
            cells[index] = as_numbers(self._frame[name], self.places)
        return RawTable(cells, {name: self._frame[name] for name in others}, self.places)


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    index = frame.index
    named = [name for name in index.names if name is not None]
    dates = (pd.DatetimeIndex, pd.PeriodIndex)
    if named or isinstance(index, dates):
        names = [name if name is not None else "date" for name in index.names]
        # An index that is a column too is that column.
        return frame.reset_index(names=names, drop=set(names) <= set(frame.columns))
    return frame.reset_index(drop=True)
