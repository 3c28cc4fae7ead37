"""The files of a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from seqforge.errors import UserError


class Folder:
    """A folder with all that lies in it, hidden files and folders left out.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> Sequence[str]:
        """Return the names of all files at any depth, sorted."""
        found = []
        for folder, folders, files in os.walk(self.root, followlinks=True):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            inside = Path(folder).relative_to(self.root).as_posix()
            prefix = "" if inside == "." else f"{inside}/"
            found += [prefix + file for file in sorted(files) if not file.startswith(".")]
        return found

    def stamp(self, name: str) -> str:
        """Return the file's size and time.

        Raises:
            UserError: It cannot be read.
        """
        try:
            status = self.path(name).stat()
        except OSError as error:
            raise self._unreadable(name, error) from error
        return f"{name} {status.st_size} {status.st_mtime_ns}"

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            UserError: It cannot be read.
        """
        try:
            return self.path(name).read_bytes()
        except OSError as error:
            raise self._unreadable(name, error) from error

    def open(self, name: str) -> BinaryIO:
        """Open a file.

        Raises:
            UserError: It cannot be read.
        """
        try:
            return self.path(name).open("rb")
        except OSError as error:
            raise self._unreadable(name, error) from error

    def label(self, name: str) -> str:
        """Return the file's path."""
        return str(self.path(name))

    def path(self, name: str) -> Path:
        """Return the file's path."""
        return self.root / name

    def _unreadable(self, name: str, error: OSError) -> UserError:
        return UserError(
            f"the picture '{self.label(name)}' cannot be read: {error.strerror}",
            where="data.path",
            todo="give a file that you may read",
        )
