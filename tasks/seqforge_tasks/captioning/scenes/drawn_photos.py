"""What is drawn for a part, as photos or clips with captions."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, Protocol

import PIL
from torch import Tensor

from seqforge.data import Draw
from seqforge.vision import ImageTransform

KEPT_BYTES: Final = 2**29
"""Pictures are kept in memory, once drawn, if all of a part's fit into so many bytes."""


class DrawnPart(Protocol):
    """Scenes of a part: each follows from its number alone."""

    seed: int

    @property
    def recipe(self) -> str:
        """What all of them follow from, beside the seed, the size and the number."""
        ...

    @property
    def name(self) -> str:
        """What the part is called."""
        ...

    @property
    def frames(self) -> int | None:
        """How many frames each has; None: they are pictures."""
        ...

    def captions(self, number: int) -> tuple[str, ...]:
        """Return all true captions of scene `number`."""
        ...

    def drawn(self, number: int, transform: ImageTransform) -> Tensor:
        """Return scene `number`, `(3, S, S)` uint8, or `(F, 3, S, S)` if it moves."""
        ...


class DrawnPhotos:
    """Scenes by number: they are drawn when they are asked for, and kept.

    Args:
        part: The scenes.
        count: How many of them there are.
        transform: Its size is the pictures'.
        captions: How many of the true captions a scene has, drawn at random; None: all.
    """

    def __init__(
        self, part: DrawnPart, count: int, transform: ImageTransform, captions: int | None = None
    ) -> None:
        self._part = part
        self._transform = transform
        self._captions = tuple(self._chosen(number, captions) for number in range(count))
        self._names = tuple(f"{part.name}-{number}" for number in range(count))
        self._keep = count * (part.frames or 1) * 3 * transform.size**2 <= KEPT_BYTES
        self._drawn: dict[int, Tensor] = {}

    @property
    def names(self) -> Sequence[str]:
        """What each scene is called: its part and number."""
        return self._names

    @property
    def keys(self) -> Sequence[str]:
        """A hash of all that a picture follows from."""
        size = self._transform.size
        recipe = f"{self._part.recipe} {PIL.__version__} {self._part.seed} {self._part.name} {size}"
        return tuple(
            sha256(f"{recipe} {number}".encode()).hexdigest() for number in range(len(self))
        )

    @property
    def captions(self) -> Sequence[tuple[str, ...]]:
        """Each scene's true captions, or those that were drawn of them."""
        return self._captions

    @property
    def frames(self) -> Sequence[int] | None:
        """How many frames each clip has; None: they are pictures."""
        count = self._part.frames
        return None if count is None else [count] * len(self)

    def __len__(self) -> int:
        return len(self._captions)

    def __getstate__(self) -> dict[str, Any]:
        # Worker processes draw what they need: sending all pictures would take longer.
        return self.__dict__ | {"_drawn": {}}

    def picture(self, number: int) -> Tensor:
        """Return a picture, `(3, S, S)` uint8, or a clip, `(F, 3, S, S)`.

        Raises:
            IndexError: There is no such scene.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"scene {number} of {len(self)}")
        if (drawn := self._drawn.get(number)) is not None:
            return drawn
        picture = self._part.drawn(number, self._transform)
        if self._keep:
            self._drawn[number] = picture
        return picture

    def _chosen(self, number: int, most: int | None) -> tuple[str, ...]:
        captions = self._part.captions(number)
        if most is None or most >= len(captions):
            return captions
        generator = Draw(self._part.seed, 0, number).generator()
        return tuple(captions[place] for place in generator.permutation(len(captions))[:most])
