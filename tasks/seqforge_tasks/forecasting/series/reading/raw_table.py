"""`RawTable`: the columns that matter, before they are put in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge_tasks.forecasting.series.reading.places import Places


@dataclass(frozen=True)
class RawTable:
    """Rows as they stand in the source.

    Attributes:
        cells: The columns of numbers (M, R), float64; NaN is missing.
        others: Dates, names of series and categories, by name of the column (R,) each.
        places: What the rows are called in messages.
    """

    cells: NDArray[np.float64]
    others: Mapping[str, pd.Series[Any]]
    places: Places


class Source(Protocol):
    """A table that can be looked into before it is read.

    Attributes:
        places: What its rows are called in messages.
    """

    places: Places

    def sample(self) -> pd.DataFrame:
        """Return the first rows with all columns, to find out what they are."""

    def read(self, numbers: Sequence[str], others: Sequence[str]) -> RawTable:
        """Read some columns.

        Args:
            numbers: Columns that hold numbers (M,).
            others: Columns that hold dates, names or categories.

        Raises:
            UserError: A cell is no number, or the source cannot be read.
        """
