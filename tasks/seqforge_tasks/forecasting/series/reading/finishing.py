"""The last steps to a `Panel`: where series begin, where their history ends, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.panel import Panel
from seqforge_tasks.forecasting.series.reading.describing import Descriptions
from seqforge_tasks.forecasting.series.reading.ordered import Ordered
from seqforge_tasks.forecasting.series.reading.reading import Reading
from seqforge_tasks.forecasting.series.reading.steps import Steps

SHOWN = 3
"""Series that a note names."""

ONE = np.ones(1, np.int64)


def finished(
    table: Ordered,
    starts: NDArray[np.int64] | None,
    steps: Steps | None,
    layout: Layout,
    descriptions: Descriptions,
) -> Reading:
    """Make a panel of rows on a grid.

    A series begins with its first value: rows before it are left out. It ends with its last one, in
    a wide table with the last one of any series: rows behind that are the future.

    Args:
        table: Rows on a grid; its columns are the targets, then covariates known up to the present,
            then those known in advance.
        starts: Date of each series' first row (N,); None without dates.
        steps: The grid; None without dates.
        layout: With every column by name.
        descriptions: What describes each series.

    Raises:
        UserError: A value is missing, and the layout refuses it.
    """
    observed = np.asarray(~np.isnan(table.cells[: len(layout.target)]).all(axis=0))
    lead, history = _spans(observed, table.offsets)
    if lead.any():
        offsets = table.offsets
        kept = np.arange(offsets[-1]) >= np.repeat(offsets[:-1] + lead, np.diff(offsets))
        table, history = table.chosen(kept), history - lead
        if starts is not None and steps is not None:
            starts = steps.advanced(starts, lead)
    panel = _panel(table, history, starts if table.calendar else None, layout, descriptions)
    if not table.calendar:
        numbers = 1 + lead if starts is None else starts
        length = 1 if steps is None else int(steps.advanced(np.zeros(1, np.int64), ONE)[0])
        panel = replace(panel, first_steps=numbers.astype(np.int64), step_length=length)
    if layout.kind == "wide" and not layout.multivariate:
        panel = separated(panel, steps)
    if layout.missing == "refuse":
        require_complete(panel, layout)
    return Reading(panel, layout, summary(panel))


def separated(panel: Panel, steps: Steps | None) -> Panel:
    """Make a series of each channel of a single one; each begins with its own first value.

    Args:
        panel: One series (R, K).
        steps: Its grid; None without dates.
    """
    rows, count = panel.values.shape
    observed = ~np.isnan(panel.values)
    lead = np.where(observed.any(axis=0), observed.argmax(axis=0), 0)
    columns = panel.values.T
    kept = None
    if lead.any():
        kept = (np.arange(rows) >= lead[:, None]).reshape(-1)
    starts = None
    if panel.starts is not None and steps is not None:
        first = np.repeat(panel.starts.view(np.int64), count)
        starts = steps.advanced(first, lead).view("datetime64[ns]")
    numbers = None
    if panel.first_steps is not None:
        numbers = panel.first_steps[0] + lead * panel.step_length
    history = np.where(observed.any(axis=0), panel.history[0] - lead, 0)

    def chosen(cells: NDArray[np.float64]) -> NDArray[np.float64]:
        return cells if kept is None else cells[kept]

    return replace(
        panel,
        names=list(panel.channels),
        channels=("value",),
        values=chosen(columns.reshape(-1, 1)),
        offsets=np.concatenate([[0], np.cumsum(rows - lead)]).astype(np.int64),
        history=history.astype(np.int64),
        past=chosen(np.tile(panel.past, (count, 1))),
        known=chosen(np.tile(panel.known, (count, 1))),
        static=np.zeros((count, 0)),
        starts=starts,
        first_steps=numbers,
    )


def _spans(
    observed: NDArray[np.bool_], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows before each series' first value (N,), and those up to its last one (N,)."""
    count = np.diff(offsets)
    if observed.all():
        return np.zeros_like(count), count
    numbers = np.arange(len(observed))
    last = np.maximum.reduceat(np.where(observed, numbers, -1), offsets[:-1])
    first = np.minimum.reduceat(np.where(observed, numbers, len(observed)), offsets[:-1])
    some = last >= 0
    return np.where(some, first - offsets[:-1], 0), np.where(some, last + 1 - offsets[:-1], 0)


def _panel(
    table: Ordered,
    history: NDArray[np.int64],
    starts: NDArray[np.int64] | None,
    layout: Layout,
    descriptions: Descriptions,
) -> Panel:
    targets, past = len(layout.target), len(layout.past)
    several = targets > 1 or layout.kind == "wide"
    return Panel(
        names=table.names,
        channels=layout.target if several or layout.multivariate else ("value",),
        values=table.cells[:targets].T,
        offsets=table.offsets,
        history=history,
        past=table.cells[targets : targets + past].T,
        past_names=layout.past,
        known=table.cells[targets + past :].T,
        known_names=layout.known,
        static=descriptions.numbers,
        static_names=descriptions.names,
        categories=descriptions.categories,
        starts=None if starts is None else starts.view("datetime64[ns]"),
        frequency=layout.frequency if starts is not None else None,
    )


def require_complete(panel: Panel, layout: Layout) -> None:
    """Refuse missing values: of targets in the history, and of covariates.

    Args:
        panel: The series.
        layout: With the name of the source.

    Raises:
        UserError: One is missing; the message has its series, column and date.
    """
    rows = np.arange(panel.offsets[-1])
    end = np.repeat(panel.offsets[:-1] + panel.history, np.diff(panel.offsets))
    groups = (
        (panel.values, panel.channels, rows < end),
        (panel.past, panel.past_names, rows < end),
        (panel.known, panel.known_names, np.ones(len(rows), bool)),
    )
    for values, names, needed in groups:
        missing = np.isnan(values) & needed[:, None]
        if missing.any():
            row = int(missing.any(axis=1).argmax())
            column = names[int(missing[row].argmax())]
            series = int(np.searchsorted(panel.offsets, row, side="right")) - 1
            which = f"the series '{panel.names[series]}'"
            raise UserError(
                f"{which} has no {column} at {when(panel, series, row)}",
                where=layout.name,
                todo="fill it in, or set data.missing to mask",
            )


def when(panel: Panel, series: int, row: int) -> str:
    """Return the date of a row, or the number of the step in its series, from 1."""
    step = row - int(panel.offsets[series])
    if panel.starts is None:
        return f"step {step + 1}"
    start = pd.Timestamp(panel.starts[series])
    return str(pd.date_range(start, periods=step + 1, freq=panel.frequency)[-1])


def summary(panel: Panel) -> tuple[str, ...]:
    """Return notes on missing values, on future rows, and on constant series.

    Args:
        panel: The series.
    """
    notes = []
    counts = np.diff(panel.offsets)
    future = counts - panel.history
    if future.any():
        notes.append(f"rows behind the last value, the future: {int(future.max()):,} at most")
    missing = int(np.isnan(panel.values).sum()) - int(future.sum()) * panel.values.shape[1]
    if missing:
        total = int(panel.history.sum()) * panel.values.shape[1]
        notes.append(f"missing values: {missing:,} of {total:,} ({missing / total:.1%})")
    constant = _constant(panel)
    if constant:
        rest = f" and {len(constant) - SHOWN:,} more" if len(constant) > SHOWN else ""
        notes.append("constant: " + ", ".join(f"'{name}'" for name in constant[:SHOWN]) + rest)
    return tuple(notes)


def _constant(panel: Panel) -> list[str]:
    if not len(panel) or not (np.diff(panel.offsets) > 0).all():
        return []
    low = np.fmin.reduceat(panel.values, panel.offsets[:-1], axis=0)
    high = np.fmax.reduceat(panel.values, panel.offsets[:-1], axis=0)
    same = (low == high) & (panel.history > 1)[:, None]
    return [
        name if len(panel.channels) == 1 else f"{name} {panel.channels[channel]}"
        for series, channel in zip(*np.nonzero(same), strict=True)
        for name in [panel.names[series]]
    ]
