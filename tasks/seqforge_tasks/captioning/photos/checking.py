"""Files are read once before they are needed: for the hash of their content, and for damage."""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeVar

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.trees.tree import FileTree

FORMAT: Final = 1
"""Changes with what is kept of pictures."""

File = TypeVar("File", bound="CaptionedFile", contravariant=False)
Indexed = TypeVar("Indexed", covariant=True)


class CaptionedFile(Protocol):
    """What captions speak of: a picture's file, or those of a clip."""

    @property
    def label(self) -> str:
        """What messages call it."""
        ...

    def stamp(self) -> str:
        """Return what changes whenever it may have changed, without reading it."""
        ...


class Index(Protocol[Indexed]):
    """Finds files by the names that captions give them."""

    def find(self, file: str, place: str) -> Indexed:
        """Return the file.

        Args:
            file: Its name.
            place: Where it is named, for messages.

        Raises:
            UserError: There is none, or several fit alike.
        """
        ...


class FileMedium(Protocol[File]):
    """Pictures or clips in files: how they are found, checked and kept together."""

    @property
    def several(self) -> str:
        """What several of them are called."""
        ...

    @property
    def files(self) -> str:
        """What their files are called."""
        ...

    @property
    def copies(self) -> str:
        """What is said of those that leave a part since another part has something of them."""
        ...

    @property
    def about(self) -> str:
        """What the check depends on beside the files."""
        ...

    @property
    def many(self) -> int:
        """From how many on checking them is announced, since it takes more than a moment."""
        ...

    def index(self, trees: Sequence[FileTree]) -> Index[File]:
        """Return what finds the files in folders and archives."""
        ...

    def check(self, file: File) -> Checked:
        """Return what is known of a file after reading it."""
        ...

    def read(self, file: File) -> None:
        """Read a file for what is wrong with it.

        Raises:
            UserError: It is none of the kind, or damaged.
        """
        ...

    def source(self, file: str, source: str | None) -> str | None:
        """Return what the captions' file was cut from, as they name it; None: from nothing."""
        ...


class Checked(NamedTuple):
    """What is known of a picture or a clip.

    Attributes:
        key: The SHA-256 of its file's bytes, 32 hexadecimal signs of it; empty if there are none.
        sound: Whether it can be read; what is wrong with it is said by reading it once more.
        frames: How many frames are taken of a clip; 0: it is a picture.
    """

    key: str
    sound: bool
    frames: int = 0


def check_files(
    files: Sequence[File],
    medium: FileMedium[File],
    folder: Path,
    say: Callable[[str], None] | None = None,
) -> list[Checked]:
    """Read every picture or clip, or remember having done so while none of them has changed.

    Args:
        files: The files.
        medium: What they are.
        folder: Where is kept what was found; made if needed.
        say: Called with a line before many are read.

    Raises:
        UserError: A file is gone, or the folder cannot be written.
    """
    digest = hashlib.sha256(f"{FORMAT}{medium.about}".encode())
    for file in files:
        digest.update(f"{file.label}\n{file.stamp()}\n".encode("utf-8", "replace"))
    target = folder / f"{medium.files}-{digest.hexdigest()[:12]}.json"
    known = _known(target, len(files))
    if known is not None:
        return known
    if say is not None and len(files) >= medium.many:
        say(f"reading {len(files):,} {medium.files}, once: {target}")
    with ThreadPoolExecutor(min(8, cpu_count() or 1)) as pool:
        found = list(pool.map(medium.check, files))
    _keep(target, found)
    return found


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
