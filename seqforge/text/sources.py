"""Reading what a user gave to `infer`: inline text, files, standard input."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from seqforge.errors import UserError, closest_path
from seqforge.task import Source

STDIN = Path("-")


def read_sources(inputs: Iterable[Source], *, whole: bool = False) -> Iterator[str]:
    """Yield the texts of inline data, files and standard input, in order.

    Args:
        inputs: A str is a text typed inline; a Path is a UTF-8 file, packed by gzip if its
            name ends in .gz; Path("-") is stdin.
        whole: Take a file as one text; otherwise each of its lines is one, empty ones too. Lines
            end with a line feed, before which a carriage return is dropped: the rarer marks that
            Unicode calls line ends stay in the text.

    Raises:
        UserError: A file is missing or not UTF-8.
    """
    for source in inputs:
        if isinstance(source, str):
            yield source
        elif whole:
            yield _read(source).removesuffix("\n")
        else:
            yield from _lines(_read(source))


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    if not lines[-1]:  # behind the last line's end there is no further line
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _read(path: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
        if path.suffix.lower() == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:  # also of a file that gzip cannot unpack
        raise UserError(
            f"cannot read '{path}': {getattr(error, 'strerror', None) or error}",
            where="-i",
            closest=closest_path(str(path)),
            todo="give a file that exists, or `-` for standard input",
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(
            f"'{path}' is not UTF-8: byte {data[error.start]:#04x} at {error.start}, line {line}",
            where="-i",
            todo="convert the file to UTF-8",
        ) from error
