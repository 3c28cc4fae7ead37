"""`FileTree`: files by name, in a folder or an archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Protocol


class FileTree(Protocol):
    """Files by their name, which may hold folders: `images/a.jpg`.

    Worker processes and threads read them too.
    """

    def names(self) -> Sequence[str]:
        """Return the files' names."""
        ...

    def stamp(self, name: str) -> str:
        """Return what changes whenever the file may have changed, without reading it."""
        ...

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            UserError: It cannot be read.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file, without reading it where that can be avoided.

        Raises:
            UserError: It cannot be read.
        """
        ...

    def label(self, name: str) -> str:
        """Return what messages call a file."""
        ...

    def path(self, name: str) -> Path:
        """Return what readers of text open."""
        ...
