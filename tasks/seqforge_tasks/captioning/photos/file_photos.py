"""Photos in files."""

from __future__ import annotations

import io
from collections.abc import Sequence

from torch import Tensor

from seqforge.vision import ImageTransform, read_image
from seqforge_tasks.captioning.photos.gathering import GatheredPhoto
from seqforge_tasks.captioning.photos.trees.picture_index import PictureFile


class FilePhotos:
    """Photos whose pictures are read from files when they are asked for.

    Args:
        photos: The photos.
        transform: What is done to their pictures.
    """

    def __init__(
        self, photos: Sequence[GatheredPhoto[PictureFile]], transform: ImageTransform
    ) -> None:
        self._files = [each.picture for each in photos]
        self._transform = transform
        self._names = tuple(each.file for each in photos)
        self._keys = tuple(each.key for each in photos)
        self._captions = tuple(each.captions for each in photos)

    @property
    def names(self) -> Sequence[str]:
        """Each picture's file, as the captions name it."""
        return self._names

    @property
    def keys(self) -> Sequence[str]:
        """A hash of each file's bytes."""
        return self._keys

    @property
    def captions(self) -> Sequence[tuple[str, ...]]:
        """Each picture's captions as they were written."""
        return self._captions

    @property
    def frames(self) -> None:
        """None: they are no clips."""

    def __len__(self) -> int:
        return len(self._files)

    def picture(self, number: int) -> Tensor:
        """Return a picture, `(3, S, S)` uint8.

        Raises:
            UserError: Its file has changed since it was checked, and is none any more.
        """
        file = self._files[number]
        return self._transform(read_image(io.BytesIO(file.read()), name=file.label))
