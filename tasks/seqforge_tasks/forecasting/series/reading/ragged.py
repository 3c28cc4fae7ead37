"""Tables with a series in each row."""

from __future__ import annotations

import numpy as np

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading.lists import reading_of_lists, require_distinct
from seqforge_tasks.forecasting.series.reading.raw_table import Source
from seqforge_tasks.forecasting.series.reading.reading import Reading


def read_ragged(source: Source, layout: Layout) -> Reading:
    """Read a table whose rows are series: a name, then values, then empty cells.

    Args:
        source: The table.
        layout: With the column of names, and those of the values in their order.

    Raises:
        UserError: It has covariates, two rows have one name, or a value is infinite.
    """
    if layout.past or layout.known or layout.static:
        raise UserError(
            "a table with a series in each row has no covariates",
            where="data.past, data.known, data.static",
            todo="give a long table (unique_id, ds, y), or leave them out",
        )
    name = layout.id or ""
    raw = source.read(layout.target, [name])
    column = raw.others[name]
    if column.isna().any():
        raise UserError(
            f"a row names no series in the column '{name}'",
            where=raw.places.at(int(column.isna().to_numpy().argmax())),
            todo="give each row the name of its series",
        )
    names = [str(each) for each in column]
    require_distinct(names, raw.places)
    infinite = np.isinf(raw.cells)
    if infinite.any():
        row = int(infinite.any(axis=0).argmax())
        step = int(infinite[:, row].argmax()) + 1
        raise UserError(
            f"the series '{names[row]}' is infinite at step {step}",
            where=raw.places.at(row),
            todo="give finite numbers, or leave the cell empty if the value is missing",
        )
    known = ~np.isnan(raw.cells)
    ends = np.where(known.any(axis=0), len(known) - known[::-1].argmax(axis=0), 0)
    if not ends.all():
        row = int((ends == 0).argmax())
        raise UserError(
            f"the series '{names[row]}' has no value",
            where=raw.places.at(row),
            todo="leave the row out",
        )
    series = [raw.cells[:end, row, None] for row, end in enumerate(ends)]
    return reading_of_lists(series, names, ("value",), layout)
