"""Captions in the files of COCO."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from seqforge_tasks.captioning.photos.sources.json_files import member, read_json
from seqforge_tasks.captioning.photos.sources.record import Record


class CocoCaptions:
    """`captions_train2017.json` and its like; their names say the split.

    Args:
        paths: The files, one for each split.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths

    @property
    def name(self) -> str:
        """The first file."""
        return str(self.paths[0])

    def records(self) -> Iterator[Record]:
        """Yield a record for each picture, with all its captions.

        Raises:
            UserError: A file cannot be read or is another one.
        """
        for path in self.paths:
            yield from _records(path)


def _records(path: Path) -> Iterator[Record]:
    whole = read_json(path)
    captions: dict[object, list[str]] = {}
    for number, annotation in enumerate(member(whole, "annotations", list, f"'{path}'")):
        place = f"'{path}', annotations[{number}],"
        owner = member(annotation, "image_id", int, place)
        captions.setdefault(owner, []).append(member(annotation, "caption", str, place))
    named = re.match(r"captions_([a-z]+)", path.name)
    for number, image in enumerate(member(whole, "images", list, f"'{path}'")):
        place = f"'{path}', images[{number}],"
        written = captions.get(member(image, "id", int, place), [])
        file = member(image, "file_name", str, place)
        yield Record(file, tuple(written), place, named[1] if named else None)
