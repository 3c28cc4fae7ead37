"""From what files say of captions to photos that can be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.caption_text import prepared
from seqforge_tasks.captioning.photos.checking import check_pictures, read_picture
from seqforge_tasks.captioning.photos.finding import Found
from seqforge_tasks.captioning.photos.skipped import Skipped
from seqforge_tasks.captioning.photos.sources.record import Record
from seqforge_tasks.captioning.photos.trees.picture_index import PictureFile, PictureIndex

NOT_THERE = "pictures that are not there"
UNREADABLE = "pictures that cannot be read"
UNCAPTIONED = "photos without captions"
EMPTY = "empty captions"


@dataclass(frozen=True)
class WrittenPhoto:
    """What the captions say of a photo.

    Attributes:
        file: The picture's file as they name it.
        split: The part that they put it in; None: they do not say.
        captions: What was written of it.
        place: Where it is named first, for messages.
    """

    file: str
    split: str | None
    captions: tuple[str, ...]
    place: str


@dataclass(frozen=True)
class GatheredPhoto:
    """A photo with at least one caption and a picture that can be read.

    Attributes:
        file: The picture's file as the captions name it.
        captions: What was written of it.
        picture: Where it lies.
        key: A hash of its content.
    """

    file: str
    captions: tuple[str, ...]
    picture: PictureFile
    key: str


def written_photos(records: Sequence[Record]) -> list[WrittenPhoto]:
    """Return the photos that records speak of, each with all captions of its split.

    One that is named in two splits is two photos of equal content, which no two parts share.

    Raises:
        UserError: Some records name a split and others none.
    """
    captions: dict[tuple[str, str | None], list[str]] = {}
    places: dict[tuple[str, str | None], str] = {}
    for record in records:
        key = (record.file, record.split)
        captions.setdefault(key, []).extend(record.captions)
        places.setdefault(key, record.place)
    without = next((place for (_, split), place in places.items() if split is None), None)
    if without is not None and any(split is not None for _, split in places):
        raise UserError(
            f"{without} names no split, but other photos have one",
            where="data.path",
            todo="give each of them one, or none",
        )
    return [
        WrittenPhoto(file, split, tuple(captions[file, split]), place)
        for (file, split), place in places.items()
    ]


def gather(
    written: Sequence[WrittenPhoto],
    found: Found,
    skipped: Skipped,
    folder: Path,
    say: Callable[[str], None] | None = None,
) -> list[GatheredPhoto | None]:
    """Return for each photo what can be used of it, or None.

    Args:
        written: What the captions say.
        found: Where the pictures lie.
        skipped: Counts or refuses what cannot be used.
        folder: Where is kept what is known of the pictures.
        say: Called with a line before many pictures are read.

    Raises:
        UserError: Something cannot be used and is not to be skipped.
    """
    index = PictureIndex(found.trees)
    gathered: list[GatheredPhoto | None] = [_located(photo, index, skipped) for photo in written]
    places = [place for place, photo in enumerate(gathered) if photo is not None]
    located = [photo for photo in gathered if photo is not None]
    checked = check_pictures([photo.picture for photo in located], folder, say)
    for place, photo, (key, sound) in zip(places, located, checked, strict=True):
        gathered[place] = replace(photo, key=key) if sound else None
        if not sound:
            _add_unreadable(photo.picture, skipped)
    return gathered


def _located(photo: WrittenPhoto, index: PictureIndex, skipped: Skipped) -> GatheredPhoto | None:
    captions = _with_words(photo, skipped)
    if not captions:
        _add_uncaptioned(photo, skipped)
        return None
    try:
        picture = index.find(photo.file, photo.place)
    except UserError as error:
        skipped.add(NOT_THERE, photo.file, error)
        return None
    return GatheredPhoto(photo.file, captions, picture, "")


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


def _add_uncaptioned(photo: WrittenPhoto, skipped: Skipped) -> None:
    error = UserError(
        f"{photo.place} has no captions: '{photo.file}'",
        where="data.path",
        todo="write at least one, or leave such photos out: --data.on_error skip",
    )
    skipped.add(UNCAPTIONED, photo.file, error)


def _add_unreadable(picture: PictureFile, skipped: Skipped) -> None:
    try:
        read_picture(picture)
    except UserError as error:
        error.where = error.where or "data.path"
        skipped.add(UNREADABLE, picture.label, error)
