"""Series without dates, one array each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading.describing import Descriptions
from seqforge_tasks.forecasting.series.reading.finishing import finished
from seqforge_tasks.forecasting.series.reading.ordered import Ordered
from seqforge_tasks.forecasting.series.reading.places import Places
from seqforge_tasks.forecasting.series.reading.reading import Reading


def reading_of_lists(
    series: Sequence[NDArray[np.float64]],
    names: Sequence[str],
    channels: tuple[str, ...],
    layout: Layout,
) -> Reading:
    """Make a panel of series without dates.

    Args:
        series: Each of them (T_i, K), with at least one row.
        names: Their names (N,).
        channels: Names of the channels (K,).
        layout: Its kind, `missing` and `name` count.

    Raises:
        UserError: A value is missing, and the layout refuses it, or the layout has covariates.
    """
    _require_no_covariates(layout)
    counts = np.array([len(each) for each in series])
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    cells = np.empty((len(channels), int(offsets[-1])))
    for first, end, each in zip(offsets[:-1], offsets[1:], series, strict=True):
        cells[:, first:end] = each.T
    table = Ordered(list(names), offsets, cells, None, False, None, Places(layout.name))
    none = Descriptions(np.zeros((len(series), 0)))
    reading = finished(table, None, None, replace(layout, target=channels), none)
    # The columns have no names that another table would need.
    return replace(reading, layout=replace(layout, target=(), date=None, frequency=None))


def _require_no_covariates(layout: Layout) -> None:
    for role in ("past", "known", "static"):
        if names := getattr(layout, role):
            raise UserError(
                f"series in arrays, or one in each row, have no column '{names[0]}'",
                where=f"data.{role}",
                todo="give a long table or frame (unique_id, ds, y), or leave it out",
            )


def require_distinct(names: Sequence[str], places: Places) -> None:
    """Refuse two series of one name.

    Args:
        names: Names of the series (N,).
        places: What rows are called.

    Raises:
        UserError: A name comes twice.
    """
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        if name in seen:
            raise UserError(
                f"the series '{name}' comes twice",
                where=f"{places.at(seen[name])} and {places.row(row)}",
                todo="give each series a name of its own",
            )
        seen[name] = row
