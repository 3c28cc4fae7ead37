"""Captions in a file for each split, in the folder of that split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from seqforge_tasks.captioning.photos.sources.record import CaptionSource, Record
from seqforge_tasks.captioning.photos.splits import SPLITS


class SplitFolders:
    """`train/metadata.csv`, `test/metadata.csv` and so on, as image folders may be divided.

    Args:
        sources: What each folder's file says, by the folder; at least one.
    """

    def __init__(self, sources: Mapping[str, CaptionSource]) -> None:
        self.sources = sources

    @property
    def name(self) -> str:
        """The first file."""
        return next(iter(self.sources.values())).name

    def records(self) -> Iterator[Record]:
        """Yield the records of all folders, of the split that a folder is called by.

        Raises:
            UserError: A file cannot be read.
        """
        for folder, source in self.sources.items():
            split = folder.rpartition("/")[2]
            for record in source.records():
                file = f"{folder}/{record.file}"
                yield record._replace(file=file, split=record.split or split)


def folders_of_splits(files: Sequence[str]) -> Sequence[str]:
    """Return the folders of files, side by side, each of a split of its own; else none."""
    folders = [file.rpartition("/")[0] for file in files]
    named = all(folder.rpartition("/")[2].lower() in SPLITS for folder in folders)
    together = len({folder.rpartition("/")[0] for folder in folders}) == 1
    return folders if named and together and len(set(folders)) == len(folders) else []
