"""What a scene shows, in so many words: groups of like objects and how they lie."""

from __future__ import annotations

from typing import Final, NamedTuple

COLOURS: Final = {
    "red": (214, 40, 40),
    "green": (40, 160, 60),
    "blue": (40, 80, 220),
    "yellow": (240, 205, 40),
    "purple": (150, 50, 180),
    "black": (30, 30, 30),
}
"""Colours by name, as RGB of 0 to 255."""

SHAPES: Final = {
    "circle": "circles",
    "square": "squares",
    "triangle": "triangles",
    "diamond": "diamonds",
    "cross": "crosses",
    "star": "stars",
}
"""Shapes and their plurals."""

SIZES: Final = ("small", "large")
COUNTS: Final = ("a", "two", "three")
RELATIONS: Final = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
}
"""Relations of a first to a second group, and those of the second to the first."""


class Pair(NamedTuple):
    """A colour on a shape: what compositions are made of."""

    colour: str
    shape: str


class Group(NamedTuple):
    """One to three like objects.

    Attributes:
        amount: 1 to 3.
        size: "small" or "large".
        pair: Their colour and shape.
    """

    amount: int
    size: str
    pair: Pair

    def phrase(self) -> str:
        """Return it as a noun phrase, such as "two small red circles"."""
        shape = self.pair.shape if self.amount == 1 else SHAPES[self.pair.shape]
        return f"{COUNTS[self.amount - 1]} {self.size} {self.pair.colour} {shape}"


class Description(NamedTuple):
    """What a scene shows.

    Attributes:
        first: A group.
        relation: Of the first group to the second; "" where there is no other.
        second: Another group, of another pair; None: there is none.
    """

    first: Group
    relation: str = ""
    second: Group | None = None

    def groups(self) -> tuple[Group, ...]:
        """Return the one or two groups."""
        return (self.first,) if self.second is None else (self.first, self.second)

    def captions(self) -> tuple[str, ...]:
        """Return all true captions, in an order that does not depend on which group is the first.

        A scene of one group has one, a scene of two groups has two: it can begin with either.
        """
        first = self.first.phrase()
        if self.second is None:
            return (first,)
        second = self.second.phrase()
        inverse = RELATIONS[self.relation]
        return tuple(sorted([f"{first} {self.relation} {second}", f"{second} {inverse} {first}"]))
