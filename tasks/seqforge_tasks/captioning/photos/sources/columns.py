"""Which columns hold a picture's file, its captions and its split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.sources.record import Record

FILE: Final = ("file", "file_name", "filename", "image", "video", "clip", "video_id", "id")
SOURCE: Final = "source_video"
"""Says from which longer video a clip was cut."""

CAPTIONS: Final = ("captions", "caption", "text", "sentences")
SPLIT: Final = "split"


def record_of(row: Mapping[str, Any], place: str) -> Record:
    """Return the record of a row, by the usual names of its columns.

    Args:
        row: What the row has under each name.
        place: Where it stands, for messages.

    Raises:
        UserError: A column is missing, or holds something else.
    """
    file = row[column_of(row, FILE, "a picture", place)]
    if not isinstance(file, str) or not file.strip():
        raise UserError(
            f"{place} names no picture", where="data.path", todo="give the picture's file there"
        )
    captions = row[column_of(row, CAPTIONS, "captions", place)]
    source = row.get(SOURCE)
    return Record(
        file,
        captions_of(captions, place),
        place,
        split_of(row, place),
        None if source is None else str(source),
    )


def column_of(names: Iterable[str], accepted: tuple[str, ...], what: str, place: str) -> str:
    """Return the first of the accepted names that there is.

    Raises:
        UserError: There is none.
    """
    given = list(names)
    for name in accepted:
        if name in given:
            return name
    raise UserError(
        f"{place} has no column for {what}: there are {', '.join(given) or 'none'}",
        where="data.path",
        accepted=accepted,
        todo="name one of its columns so",
    )


def captions_of(value: object, place: str) -> tuple[str, ...]:
    """Return one caption or a list of them as a tuple.

    Raises:
        UserError: It is something else.
    """
    several = value if isinstance(value, list | tuple) else [value]
    for each in several:
        if not isinstance(each, str):
            what = "null" if each is None else f"a value of type {type(each).__name__}"
            raise UserError(
                f"{place} has {what} where a caption is expected",
                where="data.path",
                todo="write a text, or a list of texts",
            )
    return tuple(several)


def split_of(row: Mapping[str, Any], place: str) -> str | None:
    """Return the split that a row names; None if it names none.

    Raises:
        UserError: What it names is no text.
    """
    split = row.get(SPLIT)
    if split is None or split == "":
        return None
    if not isinstance(split, str):
        raise UserError(
            f"{place} has a split that is no text: {split!r}",
            where="data.path",
            todo="write train, val or test",
        )
    return split
