"""A data set of the `datasets` library as the data of character generation."""

from __future__ import annotations

from typing import Literal

from seqforge.corpus import CorpusData, DatasetRows, TextSource


class TextDataset(CorpusData):
    """The text column of a data set on the Hugging Face Hub or on this machine, joined to one text.

    It is encoded once, into a cache beside the runs; a stream too, as it comes. From there on it is
    what `TextFile` is.

    Args:
        dataset: A name on the Hub, a local folder, or a builder such as "json" with `files`.
        configuration: The configuration's name, for a data set that has several.
        split: The split, such as "train" or "train[:10%]".
        column: The text column; None: the one named `text`, or the only one with text.
        files: The files that a builder or a folder's data set is read from.
        revision: Branch, tag or commit on the Hub; None: the newest.
        streaming: Read the rows as they come, without storing the data set itself, up to `limit`.
        seq_len: Characters in one step of truncated backpropagation.
        batch_size: Lanes, over all processes together.
        validation: Share of the text, at its end, that is kept for validation; 0: none.
        num_workers: Processes that load data, for each training process.
        documents: "join" reads on through the ends of rows; "reset" starts each one with a fresh
            state, at a chunk's start, and pads its last chunk.
        document_end: What stands between two rows; by default an empty line.
        unit: "characters", or the "bytes" of UTF-8: then lengths count bytes.
        alphabet: The known characters; None: those of the training part.
        limit: Characters that are used of the text, from its beginning; None: all.
        validation_lanes: Lanes in which validation is read statefully, at most, each of at least
            1,000 characters; 1: one pass from the beginning to the end.
        cold_window: Characters in a window that is validated on a fresh state; 0: none are.
        cache: Folder of the encoded text; None: `cache` beside the run folders.

    Raises:
        UserError: The data set cannot be fetched or is too short, or an argument is out of range.
    """

    def __init__(
        self,
        dataset: str,
        configuration: str | None = None,
        split: str = "train",
        column: str | None = None,
        files: str | list[str] | None = None,
        revision: str | None = None,
        streaming: bool = False,
        seq_len: int = 50,
        batch_size: int = 64,
        validation: float = 0.05,
        num_workers: int = 0,
        documents: Literal["join", "reset"] = "join",
        document_end: str = "\n\n",
        unit: Literal["characters", "bytes"] = "characters",
        alphabet: str | None = None,
        limit: int | None = None,
        validation_lanes: int = 64,
        cold_window: int = 256,
        cache: str | None = None,
    ) -> None:
        super().__init__(
            seq_len=seq_len,
            batch_size=batch_size,
            validation=validation,
            num_workers=num_workers,
            documents=documents,
            document_end=document_end,
            unit=unit,
            alphabet=alphabet,
            limit=limit,
            validation_lanes=validation_lanes,
            cold_window=cold_window,
            cache=cache,
        )
        self._rows = DatasetRows(
            dataset,
            configuration=configuration,
            split=split,
            column=column,
            files=files,
            revision=revision,
            streaming=streaming,
            limit=limit,
            document_end=document_end,
        )

    def source(self) -> TextSource:
        """Return the data set's rows."""
        return self._rows
