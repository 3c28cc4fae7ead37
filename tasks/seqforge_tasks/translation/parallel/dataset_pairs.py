"""Pairs of a data set of the `datasets` library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from seqforge.corpus import explained, open_dataset
from seqforge.errors import UserError
from seqforge_tasks.translation.parallel.pair import Pair
from seqforge_tasks.translation.parallel.rows import texts_of


class DatasetPairs:
    """The rows of a data set's split: a column for each language, or one called `translation`.

    Args:
        dataset: A name on the Hugging Face Hub, a local folder, or a builder such as "json".
        split: The split, such as "train" or "train[:10%]".
        source: Language of the source.
        target: Language of the target.
        configuration: The configuration's name, for a data set that has several.
        files: For builders and folders: the file of each split.
        revision: Branch, tag or commit on the Hub; None: the newest.
        option: The option that names the split, for messages.
    """

    def __init__(
        self,
        dataset: str,
        split: str,
        source: str,
        target: str,
        configuration: str | None = None,
        files: Mapping[str, str] | None = None,
        revision: str | None = None,
        option: str = "data.split",
    ) -> None:
        self.dataset = dataset
        self.split = split
        self.source = source
        self.target = target
        self.configuration = configuration
        self.files = files
        self.revision = revision
        self.option = option

    @property
    def name(self) -> str:
        """The data set and its split."""
        return f"{self.dataset}, {self.split}"

    def pairs(self) -> Iterator[Pair]:
        """Yield the pairs; `line` counts rows from 1 on.

        Raises:
            UserError: The data set cannot be read, or a row lacks a language.
        """
        rows = self._rows
        with explained(self.dataset, self.files):
            for number, row in enumerate(rows, start=1):
                place = f"row {number} of '{self.dataset}'"
                yield Pair(*texts_of(row, self.source, self.target, place), number)

    @cached_property
    def _rows(self) -> Any:
        try:
            return open_dataset(
                self.dataset,
                self.configuration,
                split=self.split,
                files=self.files,
                revision=self.revision,
            )
        except UserError as error:
            if error.where == "data.split":
                error.where = self.option
            raise
