"""Tables in text files."""

from __future__ import annotations

import gzip
import re
import sys
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import pandas as pd

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.reading.chunks import Chunks
from seqforge_tasks.forecasting.series.reading.dates import look_like_dates
from seqforge_tasks.forecasting.series.reading.places import Places
from seqforge_tasks.forecasting.series.reading.raw_table import RawTable

SAMPLE_CELLS: Final = 200_000
"""Cells of the first rows that show what columns are."""

CHUNK_CELLS: Final = 1 << 20
"""Cells that are read at a time."""

LEAST_ROWS: Final = 128
"""Rows that are read at a time, at least. Each piece costs as much for every column as some hundred
cells do: the more columns there are, the more pieces it would be, and the cost quadratic."""

EMPTY: Final = (
    "",
    "#N/A",
    "#NA",
    "-NaN",
    "-nan",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
    "n/a",
)
EMPTY_CELLS: Final = (*EMPTY, "nan", "null")
"""What stands for a missing value, but not in the names of series."""

_FIELDS = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


class CsvSource:
    """The lines of a text file; a first line of numbers is no header.

    Args:
        path: UTF-8, packed if it ends in `.gz`; "-" is standard input.

    Raises:
        UserError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = sys.stdin.buffer.read() if str(path) == "-" else None
        self._name = "standard input" if self._content is not None else str(path)
        with self._explained():
            line = self._first_line()
        self._separator = max(",;\t", key=line.count)
        self._columns = line.count(self._separator) + 1
        self._header = 0 if _is_header(line.split(self._separator)) else None
        self.places = Places(self._name, "line", 2 if self._header == 0 else 1)

    def sample(self) -> pd.DataFrame:
        """See `Source`."""
        rows = min(1000, max(20, SAMPLE_CELLS // self._columns))
        with self._explained():
            sample: pd.DataFrame = self._rows(sep=self._separator, header=self._header, nrows=rows)
        return sample.dropna(how="all")

    def read(self, numbers: Sequence[str], others: Sequence[str]) -> RawTable:
        """See `Source`."""
        with self._explained():
            chunks = Chunks(numbers, others, self.places, self._lines())
        used: list[Any] = [*numbers, *others]
        if self._header is None:
            used = [int(name) for name in used]
        rows = max(LEAST_ROWS, CHUNK_CELLS // len(used))
        texts = dict.fromkeys(used[len(numbers) :], "category")
        empty = {name: [""] if name in texts else list(EMPTY_CELLS) for name in used}
        options = {"na_values": empty, "keep_default_na": False} if others else {}
        with (
            self._explained(),
            self._rows(
                sep=self._separator,
                header=self._header,
                usecols=used,
                dtype=texts,
                chunksize=rows,
                low_memory=False,
                **options,
            ) as reader,
        ):
            for chunk in reader:
                chunks.add(chunk.set_axis([str(name) for name in chunk.columns], axis=1))
        return chunks.table()

    def _first_line(self) -> str:
        if self._content is not None:
            start = self._content.partition(b"\n")[0]
        else:
            with self._opened() as file:
                start = file.readline()
        return next(iter(start.decode("utf-8-sig").splitlines()), "")

    def _lines(self) -> int:
        """Return the number of lines behind the header; a few more do no harm."""
        count, last = 0, b"\n"
        with self._opened() if self._content is None else BytesIO(self._content) as file:
            while part := file.read(1 << 20):
                count += part.count(b"\n") + part.count(b"\r") - part.count(b"\r\n")
                last = part
        return count + (not last.endswith((b"\n", b"\r"))) - (self._header == 0)

    def _opened(self) -> BinaryIO:
        opened = gzip.open if self._path.suffix == ".gz" else open
        return cast("BinaryIO", opened(self._path, "rb"))

    def _rows(self, **options: Any) -> Any:
        """Return what pandas reads; blank lines count, so that lines keep their numbers."""
        handle = self._path if self._content is None else BytesIO(self._content)
        options["compression"] = "gzip" if self._path.suffix == ".gz" else None
        return pd.read_csv(handle, skip_blank_lines=False, index_col=False, **options)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what pandas raises into a message on the file.

        Raises:
            UserError: Instead of the library's errors.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                yield
        except pd.errors.EmptyDataError as error:
            raise UserError(
                f"{self._name} is empty", where=self._name, todo="give series with values"
            ) from error
        except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise self._uneven(str(error)) from error
        except UnicodeDecodeError as error:
            raise UserError(
                f"{self._name} is no text in UTF-8",
                where=self._name,
                todo="save it as CSV in UTF-8",
            ) from error
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(
                f"{self._name} cannot be read: {error}",
                where=self._name,
                todo="give a readable file",
            ) from error

    def _uneven(self, problem: str) -> UserError:
        found = _FIELDS.search(problem)
        if found is None:
            todo = "give as many cells in each line as in the first"
            return UserError(
                f"{self._name} is no table: {problem.strip()}", where=self._name, todo=todo
            )
        expected, line, seen = found.groups()
        return UserError(
            f"{self._name} has {seen} cells in line {line}, and {expected} before",
            where=f"{self._name}, line {line}",
            todo="give as many cells in each line as in the first; quote those that hold a comma",
        )


def _is_header(cells: list[str]) -> bool:
    texts = pd.Series([cell.strip().strip('"') for cell in cells])
    numbers = pd.to_numeric(texts, errors="coerce").notna()
    if numbers.all():
        return False
    first_is_date = look_like_dates(texts[:1])
    return not (first_is_date and len(texts) > 1 and bool(numbers[1:].all()))
