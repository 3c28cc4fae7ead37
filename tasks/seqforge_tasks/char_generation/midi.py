"""Tunes in ABC notation as MIDI files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from seqforge.errors import UserError, require


def write_tunes(texts: Iterable[str], path: Path, first: int) -> list[bool]:
    """Write each text that is a tune as a MIDI file; a line on stderr names each that is none.

    Args:
        texts: The texts.
        path: The file of the very first text; see `numbered`.
        first: The number of the first of these texts, counted from 0.

    Returns:
        Which texts are tunes.

    Raises:
        MissingExtra: symusic is not installed.
        UserError: A file cannot be written.
    """
    found = []
    for number, text in enumerate(texts, first):
        file = numbered(path, number)
        found.append(write_midi(text, file))
        if not found[-1]:
            note = f"note: text {number + 1} is no tune in ABC notation: '{file}' is not written"
            print(note, file=sys.stderr)
    return found


def require_tunes(found: Sequence[bool]) -> None:
    """Refuse texts of which none is a tune.

    Raises:
        UserError: None is.
    """
    if found and not any(found):
        raise UserError(
            "no text was a tune in ABC notation: no MIDI file is written",
            where="--midi",
            todo="a tune begins with X: and has a key, K:; a network must have learnt from tunes",
        )


def numbered(path: Path, number: int) -> Path:
    """Return the file of one of several tunes, counted from 0: `out.mid`, `out-2.mid`, …."""
    return path if number == 0 else path.with_stem(f"{path.stem}-{number + 1}")


def write_midi(tune: str, path: Path) -> bool:
    """Write a tune in ABC notation as a MIDI file.

    The work is done by abc2midi, which comes with the package symusic. What it has to say about a
    tune that it can play goes to the error stream.

    Args:
        tune: The tune; of several the first one counts.
        path: The file, which is overwritten.

    Returns:
        Whether the text is a tune; if not, nothing is written.

    Raises:
        MissingExtra: symusic is not installed.
        UserError: The file cannot be written.
    """
    symusic = require("symusic", extra="music")
    try:
        with _standard_output_to_error():
            score = symusic.Score.from_abc(tune.strip() + "\n")
    except RuntimeError:
        return False
    try:
        path.write_bytes(score.dumps_midi())
    except OSError as error:
        raise UserError(
            f"cannot write '{path}': {error.strerror}",
            where="--midi",
            todo="give a file in a folder that exists and can be written",
        ) from error
    return True


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
