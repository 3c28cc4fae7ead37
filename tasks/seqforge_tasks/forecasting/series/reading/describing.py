"""Columns that describe series: each has one value a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.reading.places import Places


@dataclass(frozen=True)
class Descriptions:
    """What describes each series.

    Attributes:
        numbers: Numbers (N, S), float64; NaN is missing.
        names: Their names (S,).
        categories: Categories by name of the column (N,) each; "" is missing.
    """

    numbers: NDArray[np.float64]
    names: tuple[str, ...] = ()
    categories: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Owners:
    """Which series each row belongs to.

    Attributes:
        codes: Number of the series (R,), a small kind of integer.
        names: Names of the series (N,).
    """

    codes: NDArray[np.integer[Any]]
    names: list[str]


def first_seen(column: pd.Series[Any]) -> tuple[NDArray[np.integer[Any]], list[Any]]:
    """Number the values of a column in the order in which they come.

    Args:
        column: Values (R,).

    Returns:
        The number of each row's value (R,), -1 where it is missing, and the values.
    """
    cells = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    codes = cells.cat.codes.to_numpy()
    order = pd.unique(codes)
    order = order[order >= 0]
    numbers = np.full(len(cells.cat.categories) + 1, -1, codes.dtype)
    numbers[order] = np.arange(len(order))
    return numbers[codes], list(cells.cat.categories[order])


def describe(
    numbers: NDArray[np.float64],
    names: Sequence[str],
    texts: Sequence[pd.Series[Any]],
    owners: Owners,
    places: Places,
) -> Descriptions:
    """Return what describes each series: the first value in its rows.

    Args:
        numbers: Columns of numbers (S, R).
        names: Their names (S,).
        texts: Columns of text (R,) each.
        owners: Which series each row belongs to.
        places: What rows are called.

    Raises:
        UserError: A series has two values.
    """
    values = np.full((len(owners.names), len(names)), np.nan)
    for index, name in enumerate(names):
        cells = numbers[index]
        first = _first_rows(~np.isnan(cells), cells, name, owners, places)
        known = first >= 0
        values[known, index] = cells[first[known]]
    categories = {}
    for column in texts:
        codes, distinct = first_seen(column)
        first = _first_rows(codes >= 0, codes, str(column.name), owners, places)
        words = np.array([*(str(each) for each in distinct), ""], object)
        categories[str(column.name)] = list(words[np.where(first >= 0, codes[first], -1)])
    return Descriptions(values, tuple(names), categories)


def _first_rows(
    known: NDArray[np.bool_], cells: NDArray[Any], name: str, owners: Owners, places: Places
) -> NDArray[np.int64]:
    """Return each series' first row with a value (N,), -1 if there is none."""
    rows = np.flatnonzero(known)
    first = np.full(len(owners.names), -1)
    first[owners.codes[rows[::-1]]] = rows[::-1]  # the first row of a series is written last
    differs = cells[rows] != cells[first[owners.codes[rows]]]
    if differs.any():
        row = int(rows[int(differs.argmax())])
        series = int(owners.codes[row])
        raise UserError(
            f"'{name}' describes series, but changes within '{owners.names[series]}'",
            where=f"{places.at(int(first[series]))} and {places.row(row)}",
            todo="name it in data.past or data.known instead, or make it the same in all rows",
        )
    return first
