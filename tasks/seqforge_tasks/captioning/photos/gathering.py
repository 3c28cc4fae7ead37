"""From what files say of captions to photos that can be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.caption_text import prepared
from seqforge_tasks.captioning.photos.checking import File, FileMedium, Index, check_files
from seqforge_tasks.captioning.photos.finding import Found
from seqforge_tasks.captioning.photos.skipped import Skipped
from seqforge_tasks.captioning.photos.sources.record import Record

NOT_THERE = "that are not there"
UNREADABLE = "that cannot be read"
UNCAPTIONED = "without captions"
EMPTY = "empty captions"


@dataclass(frozen=True)
class WrittenPhoto:
    """What the captions say of a photo.

    Attributes:
        file: The picture's file as they name it.
        split: The part that they put it in; None: they do not say.
        captions: What was written of it.
        place: Where it is named first, for messages.
        source: The video that it was cut from; None: they do not say.
    """

    file: str
    split: str | None
    captions: tuple[str, ...]
    place: str
    source: str | None = None


@dataclass(frozen=True)
class GatheredPhoto(Generic[File]):
    """A photo or clip with at least one caption and a file that can be read.

    Attributes:
        file: The picture's file as the captions name it.
        captions: What was written of it.
        picture: Where it lies.
        key: A hash of its content.
        source: The video that it was cut from; None: nothing is known of one.
        frames: How many frames are taken of a clip; 0: it is a picture.
    """

    file: str
    captions: tuple[str, ...]
    picture: File
    key: str
    source: str | None = None
    frames: int = 0


def written_photos(records: Sequence[Record]) -> list[WrittenPhoto]:
    """Return the photos that records speak of, each with all captions of its split.

    One that is named in two splits is two photos of equal content, which no two parts share.

    Raises:
        UserError: Some records name a split and others none.
    """
    captions: dict[tuple[str, str | None], list[str]] = {}
    places: dict[tuple[str, str | None], str] = {}
    sources: dict[tuple[str, str | None], str | None] = {}
    for record in records:
        key = (record.file, record.split)
        captions.setdefault(key, []).extend(record.captions)
        places.setdefault(key, record.place)
        sources.setdefault(key, record.source)
    without = next((place for (_, split), place in places.items() if split is None), None)
    if without is not None and any(split is not None for _, split in places):
        raise UserError(
            f"{without} names no split, but other photos have one",
            where="data.path",
            todo="give each of them one, or none",
        )
    return [
        WrittenPhoto(*key, tuple(captions[key]), place, sources[key])
        for key, place in places.items()
    ]


def gather(
    written: Sequence[WrittenPhoto],
    found: Found,
    medium: FileMedium[File],
    skipped: Skipped,
    folder: Path,
    say: Callable[[str], None] | None = None,
) -> list[GatheredPhoto[File] | None]:
    """Return for each photo or clip what can be used of it, or None.

    Args:
        written: What the captions say.
        found: Where the files lie.
        medium: What they are.
        skipped: Counts or refuses what cannot be used.
        folder: Where is kept what is known of the files.
        say: Called with a line before many of them are read.

    Raises:
        UserError: Something cannot be used and is not to be skipped.
    """
    index = medium.index(found.trees)
    gathered = [_located(photo, index, medium, skipped) for photo in written]
    places = [place for place, photo in enumerate(gathered) if photo is not None]
    located = [photo for photo in gathered if photo is not None]
    checked = check_files([photo.picture for photo in located], medium, folder, say)
    for place, photo, (key, sound, frames) in zip(places, located, checked, strict=True):
        gathered[place] = replace(photo, key=key, frames=frames) if sound else None
        if not sound:
            _add_unreadable(photo.picture, medium, skipped)
    return gathered


def _located(
    photo: WrittenPhoto, index: Index[File], medium: FileMedium[File], skipped: Skipped
) -> GatheredPhoto[File] | None:
    captions = _with_words(photo, skipped)
    if not captions:
        _add_uncaptioned(photo, medium.several, skipped)
        return None
    try:
        picture = index.find(photo.file, photo.place)
    except UserError as error:
        skipped.add(f"{medium.files} {NOT_THERE}", photo.file, error)
        return None
    source = medium.source(photo.file, photo.source)
    return GatheredPhoto(photo.file, captions, picture, "", source)


def _with_words(photo: WrittenPhoto, skipped: Skipped) -> tuple[str, ...]:
    kept = []
    for caption in photo.captions:
        if any(map(str.isalnum, caption)) or prepared(caption):
            kept.append(" ".join(caption.split()))
            continue
        error = UserError(
            f"{photo.place} has a caption without a word: {caption!r}",
            where="data.path",
            todo="take it out, or leave such captions out: --data.on_error skip",
        )
        skipped.add(EMPTY, photo.file, error)
    return tuple(kept)


def _add_uncaptioned(photo: WrittenPhoto, several: str, skipped: Skipped) -> None:
    error = UserError(
        f"{photo.place} has no captions: '{photo.file}'",
        where="data.path",
        todo="write at least one, or leave such rows out: --data.on_error skip",
    )
    skipped.add(f"{several} {UNCAPTIONED}", photo.file, error)


def _add_unreadable(file: File, medium: FileMedium[File], skipped: Skipped) -> None:
    try:
        medium.read(file)
    except UserError as error:
        error.where = error.where or "data.path"
        skipped.add(f"{medium.files} {UNREADABLE}", file.label, error)
