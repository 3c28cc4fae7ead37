"""Pictures are read once before they are needed: for the hash of their content, and for damage."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path
from typing import Final, NamedTuple

from seqforge.errors import UserError
from seqforge.vision import read_image
from seqforge_tasks.captioning.photos.trees.picture_index import PictureFile

FORMAT: Final = 1
"""Changes with what is kept of pictures."""

MANY: Final = 20_000
"""Pictures from which on reading them is announced, since it takes more than a moment."""


class Checked(NamedTuple):
    """What is known of a picture.

    Attributes:
        key: The SHA-256 of its file's bytes, 32 hexadecimal signs of it; empty if there are none.
        sound: Whether it can be read; what is wrong with it is said by reading it once more.
    """

    key: str
    sound: bool


def check_pictures(
    files: Sequence[PictureFile], folder: Path, say: Callable[[str], None] | None = None
) -> list[Checked]:
    """Read every picture, or remember having done so while none of them has changed.

    Args:
        files: The pictures.
        folder: Where is kept what was found; made if needed.
        say: Called with a line before many pictures are read.

    Raises:
        UserError: A file is gone, or the folder cannot be written.
    """
    digest = hashlib.sha256(str(FORMAT).encode())
    for file in files:
        digest.update(f"{file.label}\n{file.stamp()}\n".encode("utf-8", "replace"))
    target = folder / f"pictures-{digest.hexdigest()[:12]}.json"
    known = _known(target, len(files))
    if known is not None:
        return known
    if say is not None and len(files) >= MANY:
        say(f"reading {len(files):,} pictures, once: {target}")
    with ThreadPoolExecutor(min(8, cpu_count() or 1)) as pool:
        found = list(pool.map(_check, files, chunksize=16))
    _keep(target, found)
    return found


def read_picture(file: PictureFile) -> None:
    """Read a picture for what is wrong with it.

    Raises:
        UserError: It is no picture, or damaged.
    """
    read_image(io.BytesIO(file.read()), name=file.label)


def _check(file: PictureFile) -> Checked:
    key = ""
    try:
        data = file.read()
        key = hashlib.sha256(data).hexdigest()[:32]
        read_image(io.BytesIO(data))
    except UserError:
        return Checked(key, sound=False)
    return Checked(key, sound=True)


def _known(target: Path, count: int) -> list[Checked] | None:
    try:
        found = [Checked(*each) for each in json.loads(target.read_text(encoding="ascii"))]
    except (OSError, ValueError, TypeError):
        return None  # there is none, or a damaged one
    return found if len(found) == count else None


def _keep(target: Path, found: Sequence[Checked]) -> None:
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(found), encoding="ascii")
        part.replace(target)
    except OSError as error:
        raise UserError(
            f"cannot write what is known of the pictures in '{target.parent}': {error.strerror}",
            where="data.cache",
            todo="make room there, or choose another folder: --data.cache FOLDER",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()  # if it was not renamed
