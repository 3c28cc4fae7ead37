"""Tables in Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.reading.cells import as_numbers
from seqforge_tasks.forecasting.series.reading.chunks import joined
from seqforge_tasks.forecasting.series.reading.places import Places
from seqforge_tasks.forecasting.series.reading.raw_table import RawTable

CHUNK_CELLS: Final = 1 << 19
"""Cells that are read at a time."""

BUFFER: Final = 1 << 20
"""Bytes of a column that are read at a time, instead of all of them."""

COLUMNS: Final = 256
"""Columns that are read together at most."""

_INDEX = "__index_level_0__"


class ParquetSource:
    """The rows of a Parquet file; the index of a frame that was stored is a column.

    Args:
        path: The file.

    Raises:
        UserError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.places = Places(str(path))
        with self._explained(), self._opened() as file:
            self._rows = file.metadata.num_rows
            # Restored as they were, texts would be an object for each row.
            self._texts = [
                field.name
                for field in file.schema_arrow
                if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
            ]

    def sample(self) -> pd.DataFrame:
        """See `Source`."""
        with self._explained(), self._opened() as file:
            columns = [name for name in file.schema_arrow.names if name != _INDEX]
            if _INDEX in file.schema_arrow.names and _is_date(file.schema_arrow.field(_INDEX)):
                columns = [_INDEX, *columns]
            rows = min(1000, max(20, CHUNK_CELLS // max(len(columns), 1)))
            groups = [columns[first : first + COLUMNS] for first in range(0, len(columns), COLUMNS)]
            return pd.concat([_first_rows(file, group, rows) for group in groups], axis=1)

    def read(self, numbers: Sequence[str], others: Sequence[str]) -> RawTable:
        """See `Source`."""
        texts = [name for name in others if name in self._texts]
        # Opened once: what a file says of ten thousand columns takes long to read.
        with self._explained(), self._opened(texts) as file:
            columns = {name: _other(file, name) for name in others}
            cells = np.empty((len(numbers), self._rows))
            for first in range(0, len(numbers), COLUMNS):
                group = list(numbers[first : first + COLUMNS])
                for row, batch in _batches(file, group):
                    for index, name in enumerate(group, start=first):
                        values = _as_floats(batch.column(name), name, self.places, row)
                        cells[index, row : row + len(batch)] = values
        pa.default_memory_pool().release_unused()
        return RawTable(cells, columns, self.places)

    def _opened(self, texts: Sequence[str] = ()) -> pq.ParquetFile:
        return pq.ParquetFile(
            self._path, read_dictionary=list(texts), pre_buffer=False, buffer_size=1 << 20
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the library raises into a message on the file.

        Raises:
            UserError: Instead of the library's errors.
        """
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"{self._path} cannot be read as Parquet: {str(error).splitlines()[0]}",
                where=str(self._path),
                todo="give a Parquet file, or name a CSV file by its ending",
            ) from error


def _first_rows(file: pq.ParquetFile, columns: list[str], rows: int) -> pd.DataFrame:
    for batch in file.iter_batches(batch_size=rows, columns=columns, use_threads=False):
        table = pa.Table.from_batches([batch]).select(columns)
        sample: pd.DataFrame = table.to_pandas(ignore_metadata=True)
        return sample
    return pd.DataFrame(columns=columns)


def _other(file: pq.ParquetFile, name: str) -> pd.Series[Any]:
    """Return a column of dates or texts, the latter as categories."""
    parts = []
    for _, batch in _batches(file, [name]):
        part = batch.column(name).to_pandas().rename(name)
        parts.append(_in_nanoseconds(part) if pd.api.types.is_datetime64_dtype(part) else part)
    return joined(parts)


def _batches(file: pq.ParquetFile, columns: list[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the rows of some columns, and the number of the first of them."""
    first, size = 0, max(1, CHUNK_CELLS // len(columns))
    for batch in file.iter_batches(batch_size=size, columns=columns, use_threads=False):
        yield first, batch
        first += len(batch)


def _is_date(field: pa.Field) -> bool:
    return bool(pa.types.is_timestamp(field.type) or pa.types.is_date(field.type))


def _in_nanoseconds(dates: pd.Series[Any]) -> pd.Series[Any]:
    try:
        moved: pd.Series[Any] = dates.dt.as_unit("ns")
        return moved
    except pd.errors.OutOfBoundsDatetime:
        return dates  # refused later, by its row


def _as_floats(column: pa.Array, name: str, places: Places, first: int) -> NDArray[np.float64]:
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    return as_numbers(column.to_pandas().rename(name), places, first)
