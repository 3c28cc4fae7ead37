"""The clips that a user wants captioned: videos, animations, folders of frames or of clips."""

from __future__ import annotations

import glob
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL.Image import Image

from seqforge.errors import UserError, closest_path
from seqforge.task import Source
from seqforge.vision import VIDEOS, FrameSampling, read_clip, read_frames, read_image
from seqforge_tasks.captioning.input_pictures import (
    STDIN,
    SUFFIXES,
    find_pictures,
    from_stdin,
    printable,
)

CLIPS = (*VIDEOS, ".gif", ".apng")
"""What the names of clips end in, where a folder also holds other files."""

FRAMES = tuple(each for each in SUFFIXES if each != ".gif")
"""What those of frames end in."""


class Input(NamedTuple):
    """A picture or a clip that was not read yet.

    Attributes:
        name: What it is called in answers: its path.
        read: Returns its frames as RGB, of a picture that alone; raises a UserError that names it
            if that cannot be done.
    """

    name: str
    read: Callable[[], Sequence[Image]]


def stills(sources: Iterable[Source | Image]) -> Iterator[Input]:
    """Yield pictures; see `find_pictures`."""
    for each in find_pictures(sources):
        yield Input(each.name, partial(_alone, each.read))


def find_clips(sources: Iterable[Source | Image], sampling: FrameSampling) -> Iterator[Input]:
    """Yield the clips of sources in order, without reading them.

    Args:
        sources: Files, a str or a Path; folders of frames, which are one clip each; other folders,
            whose videos, animations and folders of frames are taken by name; patterns such as
            `clips/*.avi`, if there is no such file; `Path("-")`, a video on standard input; or
            pictures of Pillow, clips of one frame.
        sampling: Which frames are taken.

    Raises:
        UserError: A source is not there, or holds no clip.
    """
    for number, source in enumerate(sources, start=1):
        if isinstance(source, Image):
            name = f"picture {number}"
            yield Input(name, partial(_alone, partial(read_image, source, name=name)))
        elif source == STDIN:
            yield Input("-", partial(_from_stdin, sampling))
        else:
            yield from _of_path(Path(source), str(source), sampling)


def frame_files(folder: Path) -> list[Path]:
    """Return the pictures that lie in a folder, those with smaller numbers in their names first."""
    files = [each for each in folder.iterdir() if each.suffix.lower() in FRAMES]
    return sorted(
        (each for each in files if not each.name.startswith(".") and each.is_file()),
        key=lambda each: natural(each.name),
    )


def natural(name: str) -> list[tuple[int, str]]:
    """Return what names are sorted by so that `frame10` comes behind `frame9`."""
    return [
        (int(part), "") if part.isdigit() else (-1, part)
        for part in re.split(r"([0-9]+)", name)
        if part
    ]


def _alone(read: Callable[[], Image]) -> Sequence[Image]:
    return [read()]


def _of_path(path: Path, given: str, sampling: FrameSampling) -> Iterator[Input]:
    if not given:
        raise UserError("no clip is given", where="-i", todo="name a file: -i clip.avi")
    if path.is_dir():
        yield from _of_folder(path, sampling)
    elif path.exists():
        yield _of_file(path, sampling)
    elif glob.has_magic(given):
        found = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 - it may begin at the root
        if not found:
            raise UserError(
                f"no file fits '{given}'", where="-i", todo="check the folder and the pattern"
            )
        for each in found:
            yield from _of_path(Path(each), each, sampling)
    else:
        raise UserError(
            f"there is no clip '{given}'",
            where="-i",
            closest=closest_path(given),
            todo="name a video, a folder or a pattern: -i clip.avi",
        )


def _of_file(path: Path, sampling: FrameSampling) -> Input:
    name = printable(path)
    return Input(name, partial(read_clip, path, sampling, name=name))


def _of_folder(folder: Path, sampling: FrameSampling) -> Iterator[Input]:
    try:
        if _clips_in(folder):
            for each in _clips_in(folder):
                yield _of_frames(each, sampling) if each.is_dir() else _of_file(each, sampling)
        elif frame_files(folder):
            yield _of_frames(folder, sampling)
        else:
            raise UserError(
                f"the folder '{folder}' holds no clips",
                where="-i",
                accepted=CLIPS,
                todo="put some into it, or the frames of one",
            )
    except OSError as error:
        raise UserError(
            f"the folder '{folder}' cannot be read: {error.strerror}",
            where="-i",
            todo="give a folder that you may read",
        ) from error


def _clips_in(folder: Path) -> list[Path]:
    """Return the videos and animations of a folder, and its folders of frames, by name."""
    return sorted(
        each
        for each in folder.iterdir()
        if not each.name.startswith(".")
        and (bool(frame_files(each)) if each.is_dir() else each.name.lower().endswith(CLIPS))
    )


def _of_frames(folder: Path, sampling: FrameSampling) -> Input:
    name = printable(folder)
    frames = [partial(read_image, each, name=printable(each)) for each in frame_files(folder)]
    return Input(name, partial(read_frames, frames, sampling, name=name))


def _from_stdin(sampling: FrameSampling) -> Sequence[Image]:
    return read_clip(io.BytesIO(from_stdin("clip.avi")), sampling, name="standard input")
