"""Captions in the files of Karpathy's splits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seqforge_tasks.captioning.photos.sources.json_files import member, read_json
from seqforge_tasks.captioning.photos.sources.record import Record


class KarpathyCaptions:
    """`dataset_flickr8k.json` and its like (Karpathy & Fei-Fei 2015), with their splits.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def records(self) -> Iterator[Record]:
        """Yield a record for each picture.

        Raises:
            UserError: The file cannot be read or is another one.
        """
        images = member(read_json(self.path), "images", list, f"'{self.path}'")
        for number, image in enumerate(images):
            place = f"'{self.path}', images[{number}],"
            file = member(image, "filename", str, place)
            folder = image.get("filepath")
            captions = [
                member(sentence, "raw", str, place)
                for sentence in member(image, "sentences", list, place)
            ]
            yield Record(
                f"{folder}/{file}" if folder else file,
                tuple(captions),
                place,
                member(image, "split", str, place),
            )
