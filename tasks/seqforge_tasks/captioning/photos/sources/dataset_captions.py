"""Captions and pictures of a data set of the `datasets` library."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from seqforge.corpus import explained, open_dataset
from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.sources.columns import (
    CAPTIONS,
    captions_of,
    column_of,
    split_of,
)
from seqforge_tasks.captioning.photos.sources.record import Record


class DatasetCaptions:
    """The rows of all splits of a data set, with their captions and their pictures.

    A row's own column `split` says more than the data set's split that it is in: some, such as
    `nlphuj/flickr30k`, have one of the latter for all. Pictures are called by split and row; they
    are given as the bytes of their files, as they were stored.

    Args:
        dataset: A name on the Hugging Face Hub, or a local folder.

    Raises:
        UserError: There is no such data set, or it has no column of pictures.
    """

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        self._rows: dict[str, Any] = {}
        self._column: dict[str, str] = {}
        try:
            for split in _splits(dataset):
                rows = open_dataset(dataset, split=split)
                self._column[split] = _picture_column(rows, f"'{dataset}', {split},")
                self._rows[split] = _undecoded(rows, self._column[split])
        except UserError as error:
            error.where = "data.path"
            raise

    @property
    def name(self) -> str:
        """The data set."""
        return self.dataset

    def records(self) -> Iterator[Record]:
        """Yield a record for each row.

        Raises:
            UserError: A row has no captions.
        """
        for split, rows in self._rows.items():
            place = f"'{self.dataset}', {split}"
            column = column_of(rows.column_names, CAPTIONS, "captions", place)
            words = [name for name in (column, "split") if name in rows.column_names]
            for number, row in enumerate(rows.select_columns(words)):
                where = f"{place}, row {number},"
                captions = captions_of(row[column], where)
                yield Record(f"{split}/{number}", captions, where, split_of(row, where) or split)

    def names(self) -> Sequence[str]:
        """Return what the pictures are called: `split/row`."""
        return [f"{split}/{row}" for split, rows in self._rows.items() for row in range(len(rows))]

    def stamp(self, name: str) -> str:
        """Return the data set's fingerprint and the row."""
        split, _, row = name.rpartition("/")
        return f"{self._rows[split]._fingerprint} {row}"

    def read(self, name: str) -> bytes:
        """Return the bytes of a picture's file.

        Raises:
            UserError: The row has none.
        """
        split, _, row = name.rpartition("/")
        found: Mapping[str, Any] = self._rows[split][int(row)][self._column[split]] or {}
        if found.get("bytes"):
            return bytes(found["bytes"])
        try:
            return Path(found["path"]).read_bytes()
        except (OSError, KeyError, TypeError) as error:
            raise UserError(
                f"'{self.dataset}', {split}, row {row}, has no picture",
                where="data.path",
                todo="leave such rows out: --data.on_error skip",
            ) from error

    def open(self, name: str) -> BinaryIO:
        """Open a picture's file, which was read into memory.

        Raises:
            UserError: The row has none.
        """
        return io.BytesIO(self.read(name))

    def label(self, name: str) -> str:
        """Return the data set's name, the split and the row."""
        return f"{self.dataset}, {name}"

    def path(self, name: str) -> Path:
        """Return a path that there is not: no text lies here."""
        return Path(self.dataset) / name


def _splits(dataset: str) -> Sequence[str]:
    import datasets

    with explained(dataset, None):
        names: list[str] = datasets.get_dataset_split_names(dataset)
    return names


def _picture_column(rows: Any, place: str) -> str:
    import datasets

    for name, feature in rows.features.items():
        if isinstance(feature, datasets.Image):
            return str(name)
    raise UserError(
        f"{place} has no column of pictures: there are {', '.join(rows.column_names)}",
        todo="give a data set that has one, of the feature Image",
    )


def _undecoded(rows: Any, column: str) -> Any:
    """Return rows whose pictures are given as bytes: they are decoded as all others are."""
    import datasets

    return rows.cast_column(column, datasets.Image(decode=False))
