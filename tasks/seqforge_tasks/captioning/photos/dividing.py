"""From a user's path to the photos or clips of each part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from seqforge.errors import UserError, closest_match
from seqforge_tasks.captioning.photos.checking import File, FileMedium
from seqforge_tasks.captioning.photos.finding import Format, find_captions
from seqforge_tasks.captioning.photos.gathering import GatheredPhoto, gather, written_photos
from seqforge_tasks.captioning.photos.groups import groups_of
from seqforge_tasks.captioning.photos.photos import Part
from seqforge_tasks.captioning.photos.skipped import OnError, Skipped
from seqforge_tasks.captioning.photos.splits import canonical, divide, places_of


@dataclass(frozen=True)
class FileOptions:
    """Where captions and their files lie, and how they are divided; see `ImageCaptions`.

    Raises:
        UserError: A value is out of range.
    """

    path: str
    format: Format
    pictures: str | None
    select: int | float | None
    report: int | float | str | None
    on_error: OnError

    def __post_init__(self) -> None:
        _require_amount("select", self.select)
        if not isinstance(self.report, str):
            _require_amount("report", self.report)
        kinds = ("refuse", "skip")
        if self.on_error not in kinds:
            raise UserError(
                f"on_error is '{self.on_error}'",
                where="data.on_error",
                accepted=kinds,
                closest=closest_match(self.on_error, kinds),
            )


@dataclass(frozen=True)
class Divided(Generic[File]):
    """Photos or clips by part.

    Attributes:
        parts: Those of each part.
        remarks: Lines on what was left out or skipped.
    """

    parts: Mapping[Part, Sequence[GatheredPhoto[File]]]
    remarks: Sequence[str]


def divided(
    options: FileOptions,
    medium: FileMedium[File],
    folder: Path,
    say: Callable[[str], None],
) -> Divided[File]:
    """Find captions and their files, check them and divide them into parts.

    Args:
        options: Where they lie, and how they are divided.
        medium: What the files are.
        folder: Where is kept what is known of the files.
        say: Called with a line before many of them are read.

    Raises:
        UserError: The files cannot be found or read, or something in them cannot be used.
    """
    found = find_captions(options.path, options.format, options.pictures)
    written = written_photos(list(found.source.records()))
    if not written:
        raise UserError(
            f"'{found.source.name}' has no captions", where="data.path", todo="give some"
        )
    splits = [canonical(each.split, options.report, each.place) for each in written]
    places = places_of(splits, options.select, options.report)
    used = [number for number, split in enumerate(splits) if places.used(split)]
    unused = Counter(split for split in splits if not places.used(split))
    skipped = Skipped(options.on_error)
    gathered = gather([written[number] for number in used], found, medium, skipped, folder, say)
    pairs = [
        (photo, splits[number])
        for photo, number in zip(gathered, used, strict=True)
        if photo is not None
    ]
    photos = [photo for photo, _ in pairs]
    division = divide(
        groups_of([photo.key for photo in photos], [photo.source for photo in photos]),
        [split for _, split in pairs],
        places,
        (options.select, options.report),
    )
    parts = {
        part: [photos[number] for number in numbers] for part, numbers in division.parts.items()
    }
    remarks = [f"not used: {count:,} {medium.several}, {split}" for split, count in unused.items()]
    if division.copies:
        remarks.append(f"left out: {division.copies:,} {medium.several} {medium.copies}")
    return Divided(parts, [*remarks, *skipped.notes()])


def _require_amount(name: str, amount: int | float | None) -> None:
    if amount is None:
        return
    if amount < 1 if isinstance(amount, int) else not 0 < amount < 1:
        raise UserError(
            f"{name} is {amount}",
            where=f"data.{name}",
            todo="give a number of them, or a share between 0 and 1",
        )
