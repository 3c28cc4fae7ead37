"""Series in files."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from seqforge.errors import UserError, closest_path
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading.assembly import read_source
from seqforge_tasks.forecasting.series.reading.csv_source import CsvSource
from seqforge_tasks.forecasting.series.reading.parquet_source import ParquetSource
from seqforge_tasks.forecasting.series.reading.reading import Reading

STANDARD_INPUT = "-"
PARQUET = (".parquet", ".pq")


def read_panel(path: Path, layout: Layout | None = None) -> Reading:
    """Read the series of a file.

    Args:
        path: Parquet by its ending; else text with columns apart by `,`, `;` or tabs, also packed
            (`.gz`), or one number a line; "-" is such text from standard input.
        layout: What its columns mean; None: found out.

    Raises:
        UserError: The file cannot be read, or its contents are refused.
    """
    layout = layout or Layout()
    if str(path) != STANDARD_INPUT and not path.is_file():
        raise UserError(
            f"there is no file '{path}'",
            where="data.path",
            closest=closest_path(str(path)),
            todo="give a CSV or Parquet file",
        )
    if layout.name == Layout.name:
        name = "series" if str(path) == STANDARD_INPUT else path.name.partition(".")[0]
        layout = replace(layout, name=name or Layout.name)
    source = ParquetSource(path) if path.suffix.lower() in PARQUET else CsvSource(path)
    with without_collection():
        return read_source(source, layout)


@contextmanager
def without_collection() -> Iterator[None]:
    """Keep Python from looking for cycles of garbage while a table is read.

    pandas makes some objects of each column, of which there may be thousands, and no cycles: to go
    through them again and again takes a sixth to a third of the time again for 10,000 columns.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
