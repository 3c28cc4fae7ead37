"""The files of a zip archive, read where they are."""

from __future__ import annotations

import io
import mmap
import struct
import zipfile
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from seqforge.errors import UserError

_HEADER: Final = struct.Struct("<4s22xHH")
"""A file's own header: its sign, and how long its name and extra field are."""

_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Archive:
    """A zip archive whose files are read in place, by many processes and threads at once.

    The archive is mapped into memory: an open file would have one position that threads, and
    processes after a fork, move under each other.

    Args:
        file: The archive.

    Raises:
        UserError: It is none, or cannot be read.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            with zipfile.ZipFile(file) as opened:
                self._members = {
                    each.filename: each
                    for each in opened.infolist()
                    if not each.is_dir() and not _is_hidden(each.filename)
                }
        except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
            raise UserError(
                f"'{file}' is no zip archive that can be read: {error}",
                where="data.path",
                todo="fetch or pack it again",
            ) from error

    def names(self) -> Sequence[str]:
        """Return the names of all files, in the order of the archive."""
        return list(self._members)

    def stamp(self, name: str) -> str:
        """Return the file's size and checksum, which the archive knows."""
        member = self._members[name]
        return f"{name} {member.file_size} {member.CRC:08x}"

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            UserError: It is damaged, or packed by an unusual method.
        """
        member = self._members[name]
        if member.compress_type not in _METHODS or member.flag_bits & 1:
            raise UserError(
                f"'{self.label(name)}' is packed by a method that cannot be read, or encrypted",
                where="data.path",
                todo="pack the archive by the usual method, or not at all: zip -0",
            )
        try:
            sign, *lengths = _HEADER.unpack_from(self._mapped, member.header_offset)
            start = member.header_offset + _HEADER.size + sum(lengths)
            data = self._mapped[start : start + member.compress_size]
            if member.compress_type == zipfile.ZIP_DEFLATED:
                data = zlib.decompress(data, -zlib.MAX_WBITS)
        except (struct.error, zlib.error, ValueError) as error:
            raise self._damaged(name) from error
        if sign != b"PK\3\4" or zlib.crc32(data) != member.CRC:
            raise self._damaged(name)
        return data

    def open(self, name: str) -> BinaryIO:
        """Open a file that was read into memory.

        Raises:
            UserError: It is damaged, or packed by an unusual method.
        """
        return io.BytesIO(self.read(name))

    def label(self, name: str) -> str:
        """Return the archive's path and the file's name in it."""
        return f"{self.file}/{name}"

    def path(self, name: str) -> Path:
        """Return what readers of text open; it reads the archive's list of files again."""
        # It has what they use of a path: its name, and `open`.
        return cast(Path, zipfile.Path(self.file, name))

    @cached_property
    def _mapped(self) -> mmap.mmap:
        with self.file.open("rb") as opened:
            return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_mapped"}

    def _damaged(self, name: str) -> UserError:
        return UserError(
            f"'{self.label(name)}' is damaged: its checksum is another one",
            where="data.path",
            todo="fetch or pack the archive again",
        )


def _is_hidden(name: str) -> bool:
    # macOS puts a twin of each file under __MACOSX.
    return name.startswith("__MACOSX/") or any(part.startswith(".") for part in name.split("/"))
