"""Reading what a user gave to `infer`: inline text, files, standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from seqforge.errors import UserError, closest_path
from seqforge.task import Source

STDIN = Path("-")


def read_sources(inputs: Iterable[Source], *, whole: bool = False) -> Iterator[str]:
    """Yield the texts of inline data, files and standard input, in order.

    Args:
        inputs: A str is a text typed inline; a Path is a UTF-8 file; Path("-") is stdin.
        whole: Take a file as one text; otherwise each of its lines is one, empty ones too.

    Raises:
        UserError: A file is missing or not UTF-8.
    """
    for source in inputs:
        if isinstance(source, str):
            yield source
        elif whole:
            yield _read(source).removesuffix("\n")
        else:
            yield from _read(source).splitlines()


def _read(path: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot read '{path}': {error.strerror}",
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
