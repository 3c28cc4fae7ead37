"""Pictures as files that captions speak of."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Final

from seqforge.errors import UserError
from seqforge.vision import read_image
from seqforge_tasks.captioning.photos.checking import Checked
from seqforge_tasks.captioning.photos.trees.picture_index import PictureFile, PictureIndex
from seqforge_tasks.captioning.photos.trees.tree import FileTree


class FilePictures:
    """How pictures are found and checked; see `FileMedium`."""

    several: Final = "photos"
    files: Final = "pictures"
    copies: Final = "whose picture is in another part too"
    about: Final = ""
    many: Final = 20_000

    def index(self, trees: Sequence[FileTree]) -> PictureIndex:
        """Return what finds pictures in folders and archives."""
        return PictureIndex(trees)

    def check(self, file: PictureFile) -> Checked:
        """Return a hash of a picture's bytes, and whether it can be read."""
        key = ""
        try:
            data = file.read()
            key = hashlib.sha256(data).hexdigest()[:32]
            read_image(io.BytesIO(data))
        except UserError:
            return Checked(key, sound=False)
        return Checked(key, sound=True)

    def read(self, file: PictureFile) -> None:
        """Read a picture for what is wrong with it.

        Raises:
            UserError: It is no picture, or damaged.
        """
        read_image(io.BytesIO(file.read()), name=file.label)

    def source(self, file: str, source: str | None) -> None:
        """Return None: pictures are not cut from anything."""
