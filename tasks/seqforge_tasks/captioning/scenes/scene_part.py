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
from seqforge_tasks.captioning.scenes.pairs import all_pairs, held_out_pairs, validation_pairs

Part = Literal["train", "validation", "test"]

VERSION: Final = 2
"""Of the generator: raised whenever a scene of the same number looks different."""

_STREAMS: Final[dict[Part, int]] = {"train": 1, "validation": 2, "test": 3}
_NEW: Final = 0.5  # share of validation scenes of pairs that training does not show
_SINGLE: Final = 0.4  # share of scenes of one group: they are learnt sooner


class Scene(NamedTuple):
    """What is shown and where."""

    description: Description
    objects: tuple[Placed, ...]


class ScenePart:
    """The scenes of a part.

    Every test scene shows at least one of the held-out pairs, which no other scene does. Half of
    the validation scenes show one of two more pairs that no training scene shows. What the others
    show is not seen in training either: a tenth of all descriptions of trained pairs, by their
    hash, is left to validation.

    Args:
        part: "train", "validation" or "test".
        seed: What everything is drawn from, together with a scene's number.
    """

    def __init__(self, part: Part, seed: int) -> None:
        self.part = part
        self.seed = seed
        self.held_out = held_out_pairs(seed)
        self.new = validation_pairs(seed)
        kept: dict[Part, tuple[Pair, ...]] = {
            "train": self.held_out + self.new,
            "validation": self.held_out,
            "test": (),
        }
        self.pairs = tuple(pair for pair in all_pairs() if pair not in kept[part])

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
        new = self.part == "validation" and generator.random() < _NEW
        description = self._describe(generator, new)
        while not self._belongs(description, new):
            description = self._describe(generator, new)
        return description, generator

    def _describe(self, generator: np.random.Generator, new: bool) -> Description:
        chosen = self.new if new else self.held_out if self.part == "test" else self.pairs
        pair = chosen[generator.integers(len(chosen))]
        if generator.random() < _SINGLE:
            return Description(_group(pair, generator, int(generator.integers(1, len(COUNTS) + 1))))
        first = _group(pair, generator)
        others = [other for other in self.pairs if other != pair]
        second = _group(others[generator.integers(len(others))], generator)
        relation = tuple(RELATIONS)[generator.integers(len(RELATIONS))]
        return Description(first, relation, second)

    def _belongs(self, description: Description, new: bool) -> bool:
        if self.part == "test" or new:
            return True
        if any(group.pair in self.new for group in description.groups()):
            return False
        # The first caption in order: the same whichever group is drawn first.
        digest = sha256(description.captions()[0].encode()).digest()
        return (digest[0] < 26) == (self.part == "validation")


def _group(pair: Pair, generator: np.random.Generator, amount: int = 1) -> Group:
    return Group(amount, SIZES[generator.integers(len(SIZES))], pair)
