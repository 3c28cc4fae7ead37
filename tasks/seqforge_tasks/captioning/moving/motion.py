"""What a clip shows, in so many words: an object that moves, or two alike that meet or part."""

from __future__ import annotations

from typing import Final, NamedTuple

from seqforge_tasks.captioning.scenes.description import SHAPES, Pair

DIRECTIONS: Final = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
"""Directions and their steps to the right and downwards."""

SPEEDS: Final = ("slowly", "quickly")
ENCOUNTERS: Final = ("meet", "part")


class Motion(NamedTuple):
    """What a clip shows.

    Two objects are of one colour and shape: features that are pooled over a frame do not tell
    which of two colours belongs to which of two shapes.

    Attributes:
        pair: Colour and shape of the one object, or of both.
        how: Its direction and speed, "left quickly"; of two objects "meet" or "part".
    """

    pair: Pair
    how: str

    @property
    def together(self) -> bool:
        """Whether there are two objects."""
        return self.how in ENCOUNTERS

    def caption(self) -> str:
        """Return the one true caption."""
        colour, shape = self.pair
        if self.together:
            return f"two {colour} {SHAPES[shape]} {self.how}"
        return f"a {colour} {shape} moves {self.how}"
