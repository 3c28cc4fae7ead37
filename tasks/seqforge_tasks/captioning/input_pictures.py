"""The pictures that a user wants captioned: files, folders, patterns, archives, standard input."""

from __future__ import annotations

import glob
import io
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from PIL.Image import Image
from torch import Tensor

from seqforge.errors import UserError, closest_path
from seqforge.task import Source
from seqforge.vision import ImageTransform, read_image
from seqforge_tasks.captioning.photos.trees.archive import Archive

STDIN = Path("-")

SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png"),
    *(".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"),
)
"""What the names of pictures end in, where a folder or an archive also holds other files."""

THREADS = 4
AHEAD = 32
"""Pictures that are read before they are asked for."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class InputPicture(NamedTuple):
    """A picture that was not read yet.

    Attributes:
        name: What it is called in answers: its path.
        read: Returns it as RGB; raises a UserError that names it if that cannot be done.
    """

    name: str
    read: Callable[[], Image]


def read_pictures(sources: Iterable[Source | Image], transform: ImageTransform) -> Iterator[Tensor]:
    """Yield pictures as the network reads them, `(3, S, S)` uint8, a few read ahead.

    Args:
        sources: As for `find_pictures`.
        transform: The one that the network was trained with.

    Raises:
        UserError: A source holds no picture; those before it come first.
    """
    return read_ahead(find_pictures(sources), lambda each: transform(each.read()))


def read_ahead(
    pictures: Iterable[Item], read: Callable[[Item], Result], ahead: int = AHEAD
) -> Iterator[Result]:
    """Yield what `read` makes of each picture or clip, in order; threads are `ahead` of it.

    Raises:
        UserError: As `pictures` or `read` raises it, after all that comes before.
    """
    pool = ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1), "pictures")
    waiting: deque[Future[Result]] = deque()
    try:
        for future in _futures(pool, pictures, read):
            waiting.append(future)
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _futures(
    pool: ThreadPoolExecutor,
    pictures: Iterable[Item],
    read: Callable[[Item], Result],
) -> Iterator[Future[Result]]:
    """Yield what each picture becomes; where `pictures` fails, a last one that fails likewise."""
    try:
        for picture in pictures:
            yield pool.submit(read, picture)
    except UserError as error:
        failed: Future[Result] = Future()
        failed.set_exception(error)
        yield failed


def find_pictures(sources: Iterable[Source | Image]) -> Iterator[InputPicture]:
    """Yield the pictures of sources in order, without reading them.

    Args:
        sources: Files, a str or a Path; folders, whose pictures are taken by name, those of folders
            in them left out; zip archives of pictures; patterns such as `photos/*.jpg`, if there is
            no such file; `Path("-")`, a picture on standard input; or pictures of Pillow.

    Raises:
        UserError: A source is not there, or holds no picture.
    """
    for number, source in enumerate(sources, start=1):
        if isinstance(source, Image):
            name = f"picture {number}"
            yield InputPicture(name, partial(read_image, source, name=name))
        elif source == STDIN:
            yield InputPicture("-", _from_stdin)
        else:
            yield from _of_path(Path(source), str(source))


def _of_path(path: Path, given: str) -> Iterator[InputPicture]:
    if not given:
        raise UserError("no picture is given", where="-i", todo="name a file: -i photo.jpg")
    if path.is_dir():
        yield from _of_folder(path)
    elif path.is_file() and path.suffix.lower() == ".zip":
        yield from _of_archive(path)
    elif path.exists():
        yield _of_file(path)
    elif glob.has_magic(given):
        yield from _of_pattern(given)
    else:
        raise UserError(
            f"there is no picture '{given}'",
            where="-i",
            closest=closest_path(given),
            todo="name a file, a folder or a pattern: -i photo.jpg",
        )


def _of_file(path: Path) -> InputPicture:
    return InputPicture(printable(path), partial(read_image, path, name=printable(path)))


def _of_folder(folder: Path) -> Iterator[InputPicture]:
    try:
        files = sorted(
            each for each in folder.iterdir() if _is_picture(each.name) and each.is_file()
        )
    except OSError as error:
        raise UserError(
            f"the folder '{folder}' cannot be read: {error.strerror}",
            where="-i",
            todo="give a folder that you may read",
        ) from error
    if not files:
        raise _without_pictures(folder, "folder")
    yield from map(_of_file, files)


def _of_pattern(pattern: str) -> Iterator[InputPicture]:
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - it may begin at the root
    if not found:
        raise UserError(
            f"no file fits '{pattern}'", where="-i", todo="check the folder and the pattern"
        )
    for each in found:
        yield from _of_path(Path(each), each)


def _of_archive(file: Path) -> Iterator[InputPicture]:
    try:
        archive = Archive(file)
    except UserError as error:
        error.where = "-i"
        raise
    names = sorted(filter(_is_picture, archive.names()))
    if not names:
        raise _without_pictures(file, "archive")
    for name in names:
        yield InputPicture(printable(file / name), partial(_from_archive, archive, name))


def _from_archive(archive: Archive, name: str) -> Image:
    try:
        return read_image(io.BytesIO(archive.read(name)), name=printable(Path(archive.file, name)))
    except UserError as error:
        error.where = error.where and "-i"
        raise


def from_stdin(example: str = "photo.jpg") -> bytes:
    """Return what stands on standard input.

    Raises:
        UserError: Nothing does; the message says to name a file such as the example.
    """
    data = sys.stdin.buffer.read()
    if not data:
        raise UserError("standard input is empty", where="-i", todo=f"name a file: -i {example}")
    return data


def _from_stdin() -> Image:
    return read_image(io.BytesIO(from_stdin()), name="standard input")


def _is_picture(name: str) -> bool:
    base = name.rpartition("/")[2]
    return not base.startswith(".") and base.lower().endswith(SUFFIXES)


def _without_pictures(place: Path, kind: str) -> UserError:
    return UserError(
        f"the {kind} '{place}' holds no pictures",
        where="-i",
        accepted=SUFFIXES,
        todo=f"put some into it; folders inside a {kind} are passed over"
        if kind == "folder"
        else "put some into it",
    )


def printable(path: Path) -> str:
    """Return a path as text that every stream can write: odd bytes in names are replaced."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
