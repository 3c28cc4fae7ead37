"""Reading the text column of tables: CSV, TSV and JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from shlex import quote
from typing import Any, Final

from seqforge.corpus.plain_text import read_lines
from seqforge.errors import UserError, closest_match

TABLES: Final = (".csv", ".jsonl", ".tsv")
"""The endings of tables; `.gz` may follow."""

LARGEST_FIELD = 2**28
"""Characters in one field of a CSV file. Python's own limit, 131,072, is less than a book."""

Row = Mapping[str, Any]

Line = tuple[int, Sequence[str], Sequence[Any]]
"""A row's line, the names of the columns, and its cells, of which the last ones may be missing."""


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
    for line, names, cells in rows:
        if chosen is None:
            # What is missing in the first row may well be a text.
            row = dict(zip_longest(names, cells, fillvalue="text"))
            chosen = choose_column(row, column, str(path))
            if names.count(chosen) > 1:
                raise UserError(
                    f"'{path}' has more than one column '{chosen}'",
                    where="data.column",
                    todo="give each column a name of its own",
                )
        place = names.index(chosen) if chosen in names else len(cells)
        if place >= len(cells):
            raise UserError(
                f"'{path}' has no column '{chosen}' at line {line}",
                where="data.path",
                accepted=names[: len(cells)],
                todo="mend that line",
            )
        yield as_text(cells[place], f"'{path}', line {line}", chosen)


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


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the JSON objects of a file's lines, each with its line; blank ones are passed over.

    Raises:
        UserError: The file cannot be read, or a line holds something else; the message names it.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = "a number has too many digits"
            if isinstance(error, json.JSONDecodeError):
                reason = f"{error.msg} at character {error.pos + 1}"
            elif isinstance(error, RecursionError):
                reason = "lists or objects are nested too deeply"
            raise UserError(
                f"'{path}', line {number}, is no JSON that can be read: {reason}",
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


def table_kind(path: Path) -> str:
    """Return which of `TABLES` a file is by its name; "" for plain text."""
    name = path.name.lower().removesuffix(".gz")
    return next((ending for ending in TABLES if name.endswith(ending)), "")


def _read_csv(path: Path, delimiter: str) -> Iterator[Line]:
    before = csv.field_size_limit(LARGEST_FIELD)  # the module has one limit for all its readers
    try:
        reader = csv.reader(read_lines(path), delimiter=delimiter, strict=True)
        names = next(reader, [])
        for cells in reader:
            if len(cells) > len(names):
                mark = "tab" if delimiter == "\t" else "comma"
                raise UserError(
                    f"'{path}', line {reader.line_num}: {len(cells)} cells under a header of "
                    f"{len(names)}",
                    where="data.path",
                    todo=f"quote fields that hold a {mark}",
                )
            if cells:  # not a blank line
                yield reader.line_num, names, cells
    except csv.Error as error:
        reason, todo = _explained(str(error), path)
        raise UserError(
            f"'{path}', line {reader.line_num}: {reason}", where="data.path", todo=todo
        ) from error
    finally:
        csv.field_size_limit(before)


def _explained(reason: str, path: Path) -> tuple[str, str]:
    """Return what the reader of CSV files found, in our words, and what to do."""
    if "field limit" in reason:
        return (
            f"a field has more than {LARGEST_FIELD:,} characters",
            "close its quotes if they are open; cut longer texts into several rows",
        )
    if "new-line" in reason:
        return (
            "a carriage return without a line feed",
            f"convert the line ends: tr '\\r' '\\n' < {quote(str(path))} > lines.csv",
        )
    return reason, "mend its quotes; a quote inside a quoted field is written twice"


def _read_json(path: Path) -> Iterator[Line]:
    for number, row in read_objects(path):
        yield number, list(row), list(row.values())


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
