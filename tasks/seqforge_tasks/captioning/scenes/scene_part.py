"""The scenes of one part of the data: each follows from its number alone."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, Literal, NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from seqforge.vision import ImageTransform
from seqforge_tasks.captioning.scenes.description import (
    COUNTS,
    RELATIONS,
    SIZES,
    Description,
    Group,
    Pair,
)
from seqforge_tasks.captioning.scenes.drawing import draw
from seqforge_tasks.captioning.scenes.layout import Placed, lay_out
from seqforge_tasks.captioning.scenes.pairs import all_pairs, held_out_pairs

Part = Literal["train", "validation", "test"]

VERSION: Final = 1
"""Of the generator: raised whenever a scene of the same number looks different."""

_STREAMS: Final[dict[Part, int]] = {"train": 1, "validation": 2, "test": 3}
_SINGLE: Final = 0.4  # share of scenes of one group: they are learnt sooner


class Scene(NamedTuple):
    """What is shown and where."""

    description: Description
    objects: tuple[Placed, ...]


class ScenePart:
    """The scenes of a part.

    No training or validation scene shows a held-out pair, and every test scene shows at least one.
    What training scenes and validation scenes show differs too: a tenth of all descriptions of
    trained pairs, by their hash, is seen in validation only.

    Args:
        part: "train", "validation" or "test".
        seed: What everything is drawn from, together with a scene's number.
    """

    def __init__(self, part: Part, seed: int) -> None:
        self.part = part
        self.seed = seed
        self.held_out = held_out_pairs(seed)
        self.pairs = all_pairs()
        if part != "test":
            self.pairs = tuple(pair for pair in self.pairs if pair not in self.held_out)

    @property
    def name(self) -> str:
        """What the part is called."""
        return self.part

    @property
    def recipe(self) -> str:
        """What all scenes follow from, beside the seed, the size and the number."""
        return str(VERSION)

    @property
    def frames(self) -> None:
        """None: nothing moves."""

    def captions(self, number: int) -> tuple[str, ...]:
        """Return all true captions of scene `number`."""
        return self.description(number).captions()

    def drawn(self, number: int, transform: ImageTransform) -> Tensor:
        """Return scene `number`, `(3, S, S)` uint8."""
        return transform(self.picture(number, transform.size))

    def description(self, number: int) -> Description:
        """Return what scene `number`, 0 or more, shows."""
        return self._start(number)[0]

    def scene(self, number: int) -> Scene:
        """Return what scene `number` shows, and where."""
        description, generator = self._start(number)
        return Scene(description, lay_out(description, generator))

    def picture(self, number: int, size: int) -> Image.Image:
        """Return scene `number` as an RGB picture of `size` times `size` pixels."""
        description, generator = self._start(number)
        return draw(lay_out(description, generator), size, generator)

    def _start(self, number: int) -> tuple[Description, np.random.Generator]:
        """Return what a scene shows, and the generator that goes on with its places."""
        generator = np.random.default_rng([self.seed, _STREAMS[self.part], number])
        description = self._describe(generator)
        while not self._belongs(description):
            description = self._describe(generator)
        return description, generator

    def _describe(self, generator: np.random.Generator) -> Description:
        chosen = self.held_out if self.part == "test" else self.pairs
        pair = chosen[generator.integers(len(chosen))]
        if generator.random() < _SINGLE:
            return Description(_group(pair, generator, int(generator.integers(1, len(COUNTS) + 1))))
        first = _group(pair, generator)
        others = [other for other in self.pairs if other != pair]
        second = _group(others[generator.integers(len(others))], generator)
        relation = tuple(RELATIONS)[generator.integers(len(RELATIONS))]
        return Description(first, relation, second)

    def _belongs(self, description: Description) -> bool:
        if self.part == "test":
            return True
        # The first caption in order: the same whichever group is drawn first.
        digest = sha256(description.captions()[0].encode()).digest()
        return (digest[0] < 26) == (self.part == "validation")


def _group(pair: Pair, generator: np.random.Generator, amount: int = 1) -> Group:
    return Group(amount, SIZES[generator.integers(len(SIZES))], pair)
