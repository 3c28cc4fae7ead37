"""Series in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading.lists import reading_of_lists, require_distinct
from seqforge_tasks.forecasting.series.reading.places import Places
from seqforge_tasks.forecasting.series.reading.reading import Reading


def panel_from_arrays(
    values: ArrayLike,
    names: Sequence[str] | None = None,
    layout: Layout | None = None,
) -> Reading:
    """Return series without dates.

    Args:
        values: One series `(T,)`; several of one length `(T, K)`, or one of K channels if the
            layout says `multivariate`; or a list of series of any lengths `(T_i,)`, or `(T_i, K)`
            with channels. NaN is missing.
        names: Names of the series, or of the channels of a single one; None: numbers from 0, and
            the layout's name for a single series.
        layout: `multivariate`, `missing` and `name` count.

    Raises:
        UserError: A series is empty or holds what is no finite number, or the names do not fit.
    """
    layout = layout or Layout()
    several = _several(values)
    if several is not None:
        return _of_list(several, names, replace(layout, kind="long"))
    table = _as_series(values, layout.name)
    if table.shape[1] == 1 and not layout.multivariate and np.ndim(values) == 1:
        (name,) = _names(names, 1, layout.name, [layout.name])
        return reading_of_lists([table], [name], ("value",), replace(layout, kind="plain"))
    columns = _names(names, table.shape[1], layout.name, None)
    return reading_of_lists([table], [layout.name], columns, replace(layout, kind="wide"))


def _several(values: ArrayLike) -> Sequence[ArrayLike] | None:
    """Return the series of a list; None for an array, or a list of numbers, which is a series."""
    if hasattr(values, "ndim") or not hasattr(values, "__len__"):
        return None
    series = list(cast("Sequence[ArrayLike]", values))
    numbers = [np.isscalar(each) for each in series]
    return None if series and all(numbers) else series


def _of_list(values: Sequence[ArrayLike], names: Sequence[str] | None, layout: Layout) -> Reading:
    if not len(values):
        raise UserError(
            f"there are no series in '{layout.name}'", where="values", todo="give at least one"
        )
    default = [layout.name] if len(values) == 1 else None
    chosen = _names(names, len(values), layout.name, default)
    series = [_as_series(each, name) for each, name in zip(values, chosen, strict=True)]
    channels = series[0].shape[1]
    for name, each in zip(chosen, series, strict=True):
        if each.shape[1] != channels:
            raise UserError(
                f"the series '{name}' has {each.shape[1]} channels, and the first has {channels}",
                where=layout.name,
                todo="give all series the same channels",
            )
    several = tuple(str(index) for index in range(channels)) if channels > 1 else ("value",)
    return reading_of_lists(series, chosen, several, layout)


def _names(
    names: Sequence[str] | None, count: int, source: str, default: Sequence[str] | None
) -> tuple[str, ...]:
    if names is None:
        return tuple(default or (str(index) for index in range(count)))
    if len(names) != count:
        raise UserError(
            f"there are {len(names)} names for {count} series or channels",
            where="names",
            todo="give one for each",
        )
    require_distinct(list(names), Places(source, "name"))
    return tuple(str(name) for name in names)


def _as_series(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return values as rows of channels (T, K)."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"the series '{name}' holds something else than numbers: {error}",
            where="values",
            todo="give numbers, and NaN where a value is missing",
        ) from error
    table = array[:, None] if array.ndim == 1 else array
    if table.ndim != 2 or not table.size:
        raise UserError(
            f"the series '{name}' has the shape {array.shape}",
            where="values",
            todo="give at least one step: (steps,) or (steps, channels)",
        )
    infinite = np.isinf(table).any(axis=1)
    if infinite.any():
        raise UserError(
            f"the series '{name}' is infinite at step {int(infinite.argmax()) + 1}",
            where="values",
            todo="give finite numbers, and NaN where a value is missing",
        )
    return table
