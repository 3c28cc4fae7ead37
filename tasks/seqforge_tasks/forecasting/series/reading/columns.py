"""Finding out what the columns of a table mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import pandas as pd
from pandas.api import types

from seqforge.errors import UserError, closest_match
from seqforge_tasks.forecasting.series.layout import Kind, Layout
from seqforge_tasks.forecasting.series.reading.cells import hold_numbers
from seqforge_tasks.forecasting.series.reading.dates import look_like_dates

DATE_NAMES: Final = ("ds", "date", "datetime", "timestamp", "time", "period", "year", "month")
"""Names by which a column of dates is known, the most telling first."""

STEP_NAMES: Final = ("ds", "date", "datetime", "timestamp", "time", "year")
"""Those of them that may also hold whole numbers."""

ID_NAMES: Final = ("unique_id", "item_id", "series_id", "series_name", "series", "id")
"""Names by which the column with the names of series is known."""

_RAGGED = re.compile(r"[Vv]?\d+")
_UNNAMED = re.compile(r"(Unnamed: \d+)?")


def resolve(sample: pd.DataFrame, layout: Layout, source: str) -> tuple[Layout, tuple[str, ...]]:
    """Find out the kind of a table and the meaning of its columns.

    Args:
        sample: The first rows.
        layout: What is known of it.
        source: Its name in messages.

    Returns:
        The layout with the kind and every column by name, and notes on columns that are left out.

    Raises:
        UserError: A column is missing, or there is nothing to forecast.
    """
    columns = [str(name) for name in sample.columns]
    sample = sample.set_axis(columns, axis=1)
    _require_present(columns, layout, source)
    kind = layout.kind if layout.kind != "auto" else _kind(sample, layout)
    if kind == "ragged":
        return _ragged(sample, layout), ()
    if kind == "plain" and len(columns) > 1:
        raise UserError(
            f"a file of one number a line has one column, and this one has {len(columns)}",
            where=source,
            todo="set data.kind to wide, if each column is a series",
        )
    layout = replace(layout, kind=kind, date=layout.date or _date(sample, layout))
    if kind == "long":
        layout = replace(layout, id=layout.id or _id(sample, source))
        layout = replace(layout, target=layout.target or _long_target(sample, layout, source))
        return layout, _left_out(columns, layout)
    _require_no_descriptions(layout)
    target = layout.target or _wide_targets(sample, layout, source)
    layout = replace(layout, target=tuple(target))
    return layout, _left_out(columns, layout)


def roles(layout: Layout) -> Iterable[str]:
    """Yield every column that a layout names."""
    yield from filter(None, (layout.date, layout.id))
    yield from (*layout.target, *layout.past, *layout.known, *layout.static)


def _require_present(columns: Sequence[str], layout: Layout, source: str) -> None:
    for key in ("date", "id", "target", "past", "known", "static"):
        value = getattr(layout, key)
        for name in [value] if key in ("date", "id") else value:
            if name is not None and name not in columns:
                raise UserError(
                    f"{source} has no column '{name}'",
                    where=f"data.{key}",
                    accepted=columns,
                    closest=closest_match(name, columns),
                )


def _require_no_descriptions(layout: Layout) -> None:
    for key, value in (("id", layout.id), ("static", layout.static)):
        if value:
            raise UserError(
                f"a {layout.kind} table has no columns that name or describe its series",
                where=f"data.{key}",
                todo=f"give a long table (unique_id, ds, y), or leave {key} out",
            )


def _kind(sample: pd.DataFrame, layout: Layout) -> Kind:
    columns = list(sample.columns)
    if len(columns) == 1 and layout.date is None and not _are_dates(sample, columns[0]):
        return "plain"
    if layout.id or layout.static or {"unique_id", "ds"} <= set(columns):
        return "long"
    first = columns[0]
    numbered = all(_RAGGED.fullmatch(name) for name in columns[1:])
    if numbered and not layout.date and _is_text(sample[first]) and not _are_dates(sample, first):
        return "ragged"
    return "wide"


def _is_text(column: pd.Series) -> bool:
    return not types.is_numeric_dtype(column) and not types.is_datetime64_any_dtype(column)


def _are_dates(sample: pd.DataFrame, name: str) -> bool:
    return look_like_dates(sample[name], whole_numbers=name.casefold() in STEP_NAMES)


def _ragged(sample: pd.DataFrame, layout: Layout) -> Layout:
    columns = list(sample.columns)
    name = layout.id or columns[0]
    covariates = {name, *layout.past, *layout.known, *layout.static}
    values = tuple(column for column in columns if column not in covariates)
    return replace(layout, kind="ragged", id=name, target=values)


def _date(sample: pd.DataFrame, layout: Layout) -> str | None:
    taken = set(roles(layout))
    folded = {name.casefold(): name for name in reversed(list(sample.columns))}
    named = [folded[name] for name in DATE_NAMES if name in folded]
    for name in [*named, sample.columns[0]]:
        if name not in taken and _are_dates(sample, name):
            return name
    return None


def _id(sample: pd.DataFrame, source: str) -> str:
    for name in ID_NAMES:
        if name in sample.columns:
            return name
    raise UserError(
        f"{source} has no column 'unique_id' with the names of the series",
        where="data.id",
        accepted=sample.columns,
        todo="name the column that says which series a row belongs to",
    )


def _long_target(sample: pd.DataFrame, layout: Layout, source: str) -> tuple[str, ...]:
    if "y" in sample.columns:
        return ("y",)
    taken = set(roles(layout))
    rest = [name for name in sample.columns if name not in taken and hold_numbers(sample[name])]
    if len(rest) == 1:
        return (rest[0],)
    raise UserError(
        f"{source} has no column 'y' to forecast",
        where="data.target",
        accepted=sample.columns,
        todo="name the columns to forecast",
    )


def _wide_targets(sample: pd.DataFrame, layout: Layout, source: str) -> list[str]:
    taken = set(roles(layout))
    rest = [name for name in sample.columns if name not in taken]
    if len(rest) > 1 and _UNNAMED.fullmatch(rest[0]) and _counts_rows(sample[rest[0]]):
        rest = rest[1:]
    targets = [name for name in rest if hold_numbers(sample[name])]
    if not targets:
        raise UserError(
            f"{source} has no column of numbers to forecast",
            where="data.target",
            accepted=sample.columns,
            todo="give numbers with a decimal point, or set data.kind if its rows are series",
        )
    return targets


def _counts_rows(column: pd.Series) -> bool:
    # What `DataFrame.to_csv` writes unless it is told not to.
    return types.is_integer_dtype(column) and bool((column.diff().iloc[1:] == 1).all())


def _left_out(columns: Sequence[str], layout: Layout) -> tuple[str, ...]:
    taken = set(roles(layout))
    rest = [name for name in columns if name not in taken]
    if not rest:
        return ()
    shown = ", ".join(f"'{name}'" for name in rest[:5]) + ", …" * (len(rest) > 5)
    return (f"columns that are left out: {shown}",)
