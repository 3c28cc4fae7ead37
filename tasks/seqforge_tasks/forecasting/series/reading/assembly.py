"""From the rows of a table to a `Panel`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading.columns import resolve
from seqforge_tasks.forecasting.series.reading.dates import Dates, read_dates
from seqforge_tasks.forecasting.series.reading.describing import Owners, describe, first_seen
from seqforge_tasks.forecasting.series.reading.finishing import finished
from seqforge_tasks.forecasting.series.reading.frequency import infer_steps
from seqforge_tasks.forecasting.series.reading.ordered import Ordered, on_grid, single_dates
from seqforge_tasks.forecasting.series.reading.places import Places
from seqforge_tasks.forecasting.series.reading.ragged import read_ragged
from seqforge_tasks.forecasting.series.reading.raw_table import RawTable, Source
from seqforge_tasks.forecasting.series.reading.reading import Reading
from seqforge_tasks.forecasting.series.reading.steps import Steps, steps_of_alias

Notes = tuple[str, ...]


def read_source(source: Source, layout: Layout) -> Reading:
    """Read the series of a table.

    Args:
        source: The table.
        layout: What is known of it.

    Raises:
        UserError: Its contents are refused.
    """
    sample = source.sample()
    sample = sample.set_axis([str(name) for name in sample.columns], axis=1)
    if sample.empty:
        raise UserError(
            f"there are no rows in {source.places.source}",
            where=source.places.source,
            todo="give series with values",
        )
    found, notes = resolve(sample, layout, source.places.source)
    if found.kind == "ragged":
        return read_ragged(source, found)
    texts = [
        name
        for name in found.static
        if name in found.texts or not pd.api.types.is_numeric_dtype(sample[name])
    ]
    figures = [name for name in found.static if name not in texts]
    others = [name for name in (found.date, found.id, *texts) if name is not None]
    raw = source.read([*found.target, *found.past, *found.known, *figures], others)
    if not layout.target:
        raw, found, empty = _without_empty(raw, found)
        notes += empty
    return _assembled(raw, found, figures, texts, notes)


def _without_empty(raw: RawTable, layout: Layout) -> tuple[RawTable, Layout, Notes]:
    """Leave out targets without any value: nobody asked for them by name."""
    empty = np.array(
        [bool(np.isnan(raw.cells[index]).all()) for index in range(len(layout.target))]
    )
    if layout.kind == "long" or not empty.any() or empty.all():
        return raw, layout, ()
    dropped = [name for name, none in zip(layout.target, empty, strict=True) if none]
    kept = tuple(name for name in layout.target if name not in dropped)
    cells = np.delete(raw.cells, np.flatnonzero(empty), axis=0)
    shown = ", ".join(f"'{name}'" for name in dropped[:5]) + ", …" * (len(dropped) > 5)
    note = f"columns without any value are left out: {shown}"
    return replace(raw, cells=cells), replace(layout, target=kept), (note,)


def _assembled(
    raw: RawTable, layout: Layout, figures: Sequence[str], texts: Sequence[str], notes: Notes
) -> Reading:
    owners = _owners(raw, layout)
    varying = [*layout.target, *layout.past, *layout.known]
    _require_finite(raw, [*varying, *figures], owners, layout)
    descriptions = describe(
        raw.cells[len(varying) :],
        figures,
        [raw.others[name] for name in texts],
        owners,
        raw.places,
    )
    dates = None
    if layout.date is not None:
        dates = read_dates(raw.others[layout.date], owners.codes, layout, raw.places)
        layout = replace(layout, timezone=dates.timezone)
        notes += dates.notes
    table, sorting = _in_order(raw.cells[: len(varying)], owners, dates, raw.places)
    del raw, owners, dates  # their memory is that of the series, several times
    table, once = single_dates(table, layout.duplicates)
    table, steps, moved = _with_steps(table, layout)
    starts = None if table.dates is None else table.dates[table.offsets[:-1]].copy()
    table, filled = (table, ()) if steps is None else on_grid(table, steps)
    layout = replace(layout, frequency=None if steps is None else steps.alias)
    reading = finished(table, starts, steps, layout, descriptions)
    return replace(reading, notes=(*notes, *sorting, *once, *moved, *filled, *reading.notes))


def _owners(raw: RawTable, layout: Layout) -> Owners:
    rows = raw.cells.shape[1]
    if layout.id is None:
        return Owners(np.zeros(rows, np.int32), [layout.name])
    column = raw.others[layout.id]
    missing = column.isna().to_numpy()
    if missing.any():
        raise UserError(
            f"a row names no series in the column '{layout.id}'",
            where=raw.places.at(int(missing.argmax())),
            todo="give each row the name of its series",
        )
    codes, distinct = first_seen(column)
    return Owners(codes, [str(name) for name in distinct])


def _require_finite(raw: RawTable, names: Sequence[str], owners: Owners, layout: Layout) -> None:
    for index, name in enumerate(names):
        infinite = np.isinf(raw.cells[index])
        if infinite.any():
            row = int(infinite.argmax())
            series = f"the series '{owners.names[int(owners.codes[row])]}'"
            date = "" if layout.date is None else f" at {raw.others[layout.date].iloc[row]}"
            owner = f" of {series}" if layout.id is not None else ""
            raise UserError(
                f"'{name}'{owner} is infinite{date}",
                where=raw.places.at(row),
                todo="give finite numbers, or leave the cell empty if the value is missing",
            )


def _in_order(
    cells: NDArray[np.float64], owners: Owners, dates: Dates | None, places: Places
) -> tuple[Ordered, Notes]:
    """Bring rows into the order of series, and of dates in each."""
    codes, values = owners.codes, None if dates is None else dates.values
    apart = bool((codes[1:] < codes[:-1]).any())
    order = None
    if apart:
        order = np.argsort(codes, kind="stable")
        cells, codes = np.take(cells, order, axis=1), codes[order]
        values = None if values is None else values[order]
    # In the codes' own kind of integer: no copy of them is made then.
    first = np.searchsorted(codes, np.arange(len(owners.names), dtype=codes.dtype))
    offsets = np.append(first, len(codes)).astype(np.int64)
    table = Ordered(
        owners.names, offsets, cells, values, dates is not None and dates.calendar, order, places
    )
    if values is None:
        return table, ()
    back = table.follows() & (values[1:] < values[:-1])
    if not back.any():
        return table, ()
    series = len(np.unique(table.series(np.flatnonzero(back))))
    by_date = np.lexsort((values, codes))
    return table.chosen(by_date), (f"rows are sorted by date, in {series:,} series",)


def _with_steps(table: Ordered, layout: Layout) -> tuple[Ordered, Steps | None, Notes]:
    if table.dates is None:
        return table, None, ()
    if layout.frequency is not None and table.calendar:
        return table, steps_of_alias(layout.frequency, table.dates), ()
    found = infer_steps(table.dates, table.follows(), table.calendar, table.places.source)
    return replace(table, dates=found.dates), found.steps, found.notes
