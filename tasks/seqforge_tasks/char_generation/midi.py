"""Tunes in ABC notation as MIDI files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seqforge.errors import UserError, require


def numbered(path: Path, number: int) -> Path:
    """Return the file of one of several tunes, counted from 0: `out.mid`, `out-2.mid`, …."""
    return path if number == 0 else path.with_stem(f"{path.stem}-{number + 1}")


def write_midi(tune: str, path: Path) -> None:
    """Write a tune in ABC notation as a MIDI file.

    The work is done by abc2midi, which comes with the package symusic. What it has to say about a
    tune that it can play goes to the error stream.

    Args:
        tune: The tune; of several the first one counts.
        path: The file, which is overwritten.

    Raises:
        MissingExtra: symusic is not installed.
        UserError: The text is no tune, or the file cannot be written.
    """
    symusic = require("symusic", extra="music")
    try:
        with _standard_output_to_error():
            score = symusic.Score.from_abc(tune.strip() + "\n")
    except RuntimeError as error:
        first = tune.strip().partition("\n")[0][:40]
        raise UserError(
            f"the text that begins with '{first}' is no tune in ABC notation",
            where="--midi",
            todo="a tune begins with X: and has a key, K:; a network must have learnt from tunes",
        ) from error
    try:
        path.write_bytes(score.dumps_midi())
    except OSError as error:
        raise UserError(
            f"cannot write '{path}': {error.strerror}",
            where="--midi",
            todo="give a file in a folder that exists and can be written",
        ) from error


@contextmanager
def _standard_output_to_error() -> Iterator[None]:
    """Let what a C library prints to standard output, where the tunes go, go to the other one."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(own, 1)
        os.close(own)
