"""Reading the text column of tables: CSV, TSV and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from seqforge.errors import UserError, closest_match
from seqforge.text.plain_text import read_lines

TABLES: Final = (".csv", ".jsonl", ".tsv")
"""The endings of tables; `.gz` may follow."""

LARGEST_FIELD = 2**28
"""Characters in one field of a CSV file. Python's own limit, 131,072, is less than a book."""

Row = Mapping[str, Any]


def read_column(path: Path, column: str | None) -> Iterator[str]:
    """Yield the texts of a table's column, row by row.

    Args:
        path: A file whose name ends in one of `TABLES`, or that and `.gz`.
        column: The column's name; None: see `choose_column`.

    Raises:
        UserError: The table or its column cannot be read; the message names the line.
    """
    kind = table_kind(path)
    rows = (
        _read_json(path) if kind == ".jsonl" else _read_csv(path, "\t" if kind == ".tsv" else ",")
    )
    chosen = None
    for line, row in rows:
        if chosen is None:
            chosen = choose_column(row, column, str(path))
        if chosen not in row:
            raise UserError(
                f"'{path}' has no column '{chosen}' at line {line}",
                where="data.path",
                accepted=row,
                todo="mend that line",
            )
        yield as_text(row[chosen], f"'{path}', line {line}", chosen)


def choose_column(row: Row, column: str | None, source: str) -> str:
    """Return the column that holds the text.

    Args:
        row: The first row.
        column: The name that was given; None: `text`, or else the only column with text in it.
        source: What the table is called in a message.

    Raises:
        UserError: There is no such column, or none was given and it is not clear which one it is.
    """
    if column is not None:
        if column not in row:
            raise UserError(
                f"'{source}' has no column '{column}'",
                where="data.column",
                accepted=row,
                closest=closest_match(column, row),
                todo="give one of its columns",
            )
        return column
    with_text = [name for name, value in row.items() if _is_text(value)]
    if "text" in row or len(with_text) == 1:
        return "text" if "text" in row else with_text[0]
    raise UserError(
        f"'{source}' has {len(with_text)} columns with text, none of them named 'text'",
        where="data.column",
        accepted=row,
        todo="say which one: --data.column NAME",
    )


def as_text(value: object, place: str, column: str) -> str:
    """Return a cell's text, with line feeds for line ends.

    Args:
        value: The cell.
        place: What a message says of it.
        column: Its column.

    Raises:
        UserError: It is null, or no text.
    """
    if not isinstance(value, str):
        what = "null" if value is None else f"a {type(value).__name__}, not text"
        raise UserError(
            f"{place}: '{column}' is {what}",
            where="data.column",
            todo="take such rows out, or give a column that has text in every row",
        )
    return value.replace("\r\n", "\n")


def table_kind(path: Path) -> str:
    """Return which of `TABLES` a file is by its name; "" for plain text."""
    name = path.name.lower().removesuffix(".gz")
    return next((ending for ending in TABLES if name.endswith(ending)), "")


def _read_csv(path: Path, delimiter: str) -> Iterator[tuple[int, Row]]:
    before = csv.field_size_limit(LARGEST_FIELD)  # the module has one limit for all its readers
    try:
        reader = csv.reader(read_lines(path), delimiter=delimiter, strict=True)
        names = next(reader, None)
        for cells in reader:
            if cells:  # not a blank line
                # A row may be shorter than the header: its last columns are then missing.
                yield reader.line_num, dict(zip(names or (), cells, strict=False))
    except csv.Error as error:
        raise UserError(
            f"'{path}', line {reader.line_num}: {error}",
            where="data.path",
            todo="mend its quotes; a quote inside a quoted field is written twice",
        ) from error
    finally:
        csv.field_size_limit(before)


def _read_json(path: Path) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(read_lines(path), start=1):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(
                f"'{path}', line {number}, is no JSON: {error.msg} at character {error.pos + 1}",
                where="data.path",
                todo="write one JSON object in each line",
            ) from error
        if not isinstance(row, dict):
            raise UserError(
                f"'{path}', line {number}, is a {type(row).__name__}, not an object with columns",
                where="data.path",
                todo='write one JSON object in each line, such as {"text": "…"}',
            )
        yield number, {name: _whole(value) for name, value in row.items()}


def _whole(value: object) -> object:
    """Return a value without the half characters that a JSON escape can stand for."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return True
    return False
