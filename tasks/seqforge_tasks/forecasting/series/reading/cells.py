"""Cells that hold numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.reading.places import Places


def hold_numbers(column: pd.Series) -> bool:
    """Return whether a column is one of numbers: at least one cell is, or all of them are empty."""
    if types.is_numeric_dtype(column):
        return not types.is_complex_dtype(column)
    if types.is_datetime64_any_dtype(column) or isinstance(column.dtype, pd.PeriodDtype):
        return False
    cells = column.dropna()
    return cells.empty or bool(pd.to_numeric(cells.astype(str), errors="coerce").notna().any())


def as_numbers(column: pd.Series, places: Places, first: int = 0) -> NDArray[np.float64]:
    """Return a column's numbers (R,), float64; empty cells are NaN.

    Args:
        column: The cells.
        places: What rows are called.
        first: Number of the first cell's row.

    Raises:
        UserError: A cell is no number; the message has it, and where it stands.
    """
    if types.is_numeric_dtype(column) and not types.is_complex_dtype(column):
        return column.to_numpy(np.float64, na_value=np.nan)
    text = column.astype(object)
    numbers = pd.to_numeric(text.where(text.notna(), None), errors="coerce")
    wrong = numbers.isna().to_numpy() & column.notna().to_numpy()
    wrong |= np.array([isinstance(cell, complex) for cell in text])
    if wrong.any():
        row = int(wrong.argmax())
        raise UserError(
            f"'{column.iloc[row]}' in the column '{column.name}' is no number",
            where=places.at(first + row),
            todo="write a number with a decimal point, or leave the cell empty if it is missing",
        )
    return numbers.to_numpy(np.float64, na_value=np.nan)
