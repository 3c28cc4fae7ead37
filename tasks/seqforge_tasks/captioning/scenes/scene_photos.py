"""The scenes of a part as photos with captions."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import PIL
from torch import Tensor

from seqforge.data import Draw
from seqforge.vision import ImageTransform
from seqforge_tasks.captioning.scenes.scene_part import ScenePart

VERSION: Final = 1
"""Of the generator: raised whenever a scene of the same number looks different."""

KEPT_BYTES: Final = 2**29
"""Pictures are kept in memory, once drawn, if all of a part's fit into so many bytes."""


class ScenePhotos:
    """Scenes by number: pictures are drawn when they are asked for, and kept.

    Args:
        part: The scenes.
        count: How many of them there are.
        transform: Its size is the pictures'.
        captions: How many of the true captions a scene has, drawn at random; None: all.
    """

    def __init__(
        self, part: ScenePart, count: int, transform: ImageTransform, captions: int | None = None
    ) -> None:
        self._part = part
        self._transform = transform
        self._captions = tuple(self._chosen(number, captions) for number in range(count))
        self._names = tuple(f"{part.part}-{number}" for number in range(count))
        self._keep = count * 3 * transform.size**2 <= KEPT_BYTES
        self._drawn: dict[int, Tensor] = {}

    @property
    def names(self) -> Sequence[str]:
        """What each scene is called: its part and number."""
        return self._names

    @property
    def keys(self) -> Sequence[str]:
        """A hash of all that a picture follows from."""
        size = self._transform.size
        recipe = f"{VERSION} {PIL.__version__} {self._part.seed} {self._part.part} {size}"
        return tuple(
            sha256(f"{recipe} {number}".encode()).hexdigest() for number in range(len(self))
        )

    @property
    def captions(self) -> Sequence[tuple[str, ...]]:
        """Each scene's true captions, or those that were drawn of them."""
        return self._captions

    def __len__(self) -> int:
        return len(self._captions)

    def __getstate__(self) -> dict[str, Any]:
        # Worker processes draw what they need: sending all pictures would take longer.
        return self.__dict__ | {"_drawn": {}}

    def picture(self, number: int) -> Tensor:
        """Return a picture, `(3, S, S)` uint8.

        Raises:
            IndexError: There is no such scene.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"scene {number} of {len(self)}")
        if (drawn := self._drawn.get(number)) is not None:
            return drawn
        picture = self._transform(self._part.picture(number, self._transform.size))
        if self._keep:
            self._drawn[number] = picture
        return picture

    def _chosen(self, number: int, most: int | None) -> tuple[str, ...]:
        captions = self._part.description(number).captions()
        if most is None or most >= len(captions):
            return captions
        generator = Draw(self._part.seed, 0, number).generator()
        return tuple(captions[place] for place in generator.permutation(len(captions))[:most])
