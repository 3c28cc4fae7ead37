"""The clips of one part of the data: each follows from its number alone."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from seqforge.vision import ImageTransform
from seqforge_tasks.captioning.moving.course import course
from seqforge_tasks.captioning.moving.motion import DIRECTIONS, ENCOUNTERS, SPEEDS, Motion
from seqforge_tasks.captioning.photos.photos import Part
from seqforge_tasks.captioning.scenes.drawing import draw
from seqforge_tasks.captioning.scenes.pairs import all_pairs, held_out_pairs

VERSION: Final = 1
"""Of the generator: raised whenever a clip of the same number looks different."""

_STREAMS: Final[dict[Part, int]] = {"train": 11, "validation": 12, "test": 13}
_SINGLE: Final = 0.6  # share of clips of one object
_ROOM: Final = 2**31


class MovingPart:
    """The clips of a part.

    No training or validation clip shows a held-out pair, and every test clip shows one.
    A tenth of all descriptions of trained pairs, by their hash, is seen in validation only.

    Args:
        part: "train", "validation" or "test".
        seed: What everything is drawn from, together with a clip's number.
        frames: Frames of each clip, at least 2.
    """

    def __init__(self, part: Part, seed: int, frames: int) -> None:
        self.part: Part = part
        self.seed = seed
        self.held_out = held_out_pairs(seed)
        self.pairs = all_pairs()
        if part != "test":
            self.pairs = tuple(pair for pair in self.pairs if pair not in self.held_out)
        self._frames = frames

    @property
    def name(self) -> str:
        """What the part is called."""
        return self.part

    @property
    def recipe(self) -> str:
        """What all clips follow from, beside the seed, the size and the number."""
        return f"moving {VERSION} {self._frames}"

    @property
    def frames(self) -> int:
        """How many frames each clip has."""
        return self._frames

    def motion(self, number: int) -> Motion:
        """Return what clip `number`, 0 or more, shows."""
        return self._start(number)[0]

    def captions(self, number: int) -> tuple[str, ...]:
        """Return the one true caption of clip `number`."""
        return (self.motion(number).caption(),)

    def pictures(self, number: int, size: int) -> list[Image.Image]:
        """Return the frames of clip `number`, RGB, of `size` times `size` pixels."""
        motion, generator = self._start(number)
        placed = course(motion, self._frames, generator)
        # The same shades in each frame.
        shades = int(generator.integers(_ROOM))
        return [draw(objects, size, np.random.default_rng(shades)) for objects in placed]

    def drawn(self, number: int, transform: ImageTransform) -> Tensor:
        """Return clip `number`, `(F, 3, S, S)` uint8."""
        return torch.stack([transform(each) for each in self.pictures(number, transform.size)])

    def _start(self, number: int) -> tuple[Motion, np.random.Generator]:
        """Return what a clip shows, and the generator that goes on with its course."""
        generator = np.random.default_rng([self.seed, _STREAMS[self.part], number])
        motion = self._describe(generator)
        while not self._belongs(motion):
            motion = self._describe(generator)
        return motion, generator

    def _describe(self, generator: np.random.Generator) -> Motion:
        chosen = self.held_out if self.part == "test" else self.pairs
        pair = chosen[generator.integers(len(chosen))]
        if generator.random() >= _SINGLE:
            return Motion(pair, ENCOUNTERS[generator.integers(len(ENCOUNTERS))])
        direction = tuple(DIRECTIONS)[generator.integers(len(DIRECTIONS))]
        return Motion(pair, f"{direction} {SPEEDS[generator.integers(len(SPEEDS))]}")

    def _belongs(self, motion: Motion) -> bool:
        if self.part == "test":
            return True
        digest = sha256(motion.caption().encode()).digest()
        return (digest[0] < 26) == (self.part == "validation")
