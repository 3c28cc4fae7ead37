"""Reading UTF-8 files block by block, packed by gzip or not."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from seqforge.errors import UserError

BLOCK = 2**20
"""Bytes that are read at a time."""


def is_packed(path: Path) -> bool:
    """Return whether a file's name says that it is packed by gzip."""
    return path.suffix.lower() == ".gz"


def read_blocks(path: Path) -> Iterator[str]:
    """Yield a UTF-8 file's text in blocks.

    A byte order mark at the beginning is dropped; CR LF becomes a line feed.

    Args:
        path: The file; with the ending `.gz` it is unpacked on the way.

    Raises:
        UserError: It cannot be read, is not UTF-8 (with byte and line) or no whole gzip file.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    position, lines, held, first, head = 0, 0, "", True, b""
    for data in _read(path):
        position += len(data)
        head = head or data[:4]
        try:
            text = held + decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            # The decoder's own data begin with bytes that it kept from the block before.
            raise _not_utf8(path, error, position - len(error.object), lines, head) from error
        lines += data.count(b"\n")
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        # A carriage return may belong to a line feed that has not come yet.
        held = "\r" if data and text.endswith("\r") else ""
        text = text[: len(text) - len(held)].replace("\r\n", "\n")
        if text:
            yield text


def read_lines(path: Path) -> Iterator[str]:
    """Yield a UTF-8 file's lines with their line feeds; the last one may lack it.

    Raises:
        UserError: As `read_blocks`.
    """
    begun: list[str] = []
    for block in read_blocks(path):
        *whole, rest = block.split("\n")
        for line in whole:
            begun.append(line)
            yield "".join(begun) + "\n"
            begun = []
        begun.append(rest)
    if any(begun):
        yield "".join(begun)


def _read(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, and nothing at its end."""
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file) as unpacked:
            stream = unpacked if is_packed(path) else file
            while data := stream.read(BLOCK):
                yield data
        yield b""
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UserError(
            f"'{path}' is no gzip file: {error}",
            where="data.path",
            todo="pack it with gzip, or take the ending .gz off its name",
        ) from error
    except EOFError as error:
        raise UserError(
            f"'{path}' is cut off: the packed file ends too early",
            where="data.path",
            todo="fetch or pack it again",
        ) from error
    except OSError as error:
        raise UserError(
            f"cannot read '{path}': {error.strerror}",
            where="data.path",
            todo="give a file that can be read",
        ) from error


def _not_utf8(
    path: Path, error: UnicodeDecodeError, before: int, lines: int, head: bytes
) -> UserError:
    unpack = f"zcat {quote(str(path))} | " if is_packed(path) else ""
    given = "" if unpack else f" {quote(str(path))}"
    coding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "latin1"
    todo = f"convert it, for example: {unpack}iconv -f {coding} -t utf-8{given} > utf8.txt"
    if head.startswith(b"PK"):
        todo = "it is a zip file: unpack it and give the text in it"
    elif head.startswith(b"\x1f\x8b"):
        todo = "it is packed by gzip: give its name the ending .gz"
    elif coding != "utf-16" and b"\0" in error.object:
        todo = "it holds zero bytes, so it is no text: give a text file"
    line = lines + error.object[: error.start].count(b"\n") + 1
    return UserError(
        f"'{path}' is not UTF-8: byte {error.object[error.start]:#04x} at "
        f"{before + error.start}, line {line}",
        where="data.path",
        todo=todo,
    )
