"""Where a scene's objects lie."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from seqforge_tasks.captioning.scenes.description import Description, Group, Pair

# In widths of the picture. Three large objects must fit into it, and two beside each other.
RADII: Final = {"small": (0.1, 0.12), "large": (0.15, 0.17)}
REACH: Final = 1.15  # of the longest corner, in radii
GAP: Final = 0.02
ATTEMPTS: Final = 60

Box = tuple[float, float, float, float]


class Placed(NamedTuple):
    """An object and its place.

    Attributes:
        pair: Its colour and shape.
        x: Of its centre, from the left, in widths of the picture.
        y: Of its centre, from the top, in heights of the picture.
        radius: Of the circle around it, in widths of the picture.
        angle: By which it is turned, in radians.
    """

    pair: Pair
    x: float
    y: float
    radius: float
    angle: float


def lay_out(description: Description, generator: np.random.Generator) -> tuple[Placed, ...]:
    """Place a scene's objects at random, apart from each other.

    Groups lie beside or above each other and nothing else: a line parallel to the picture's edge
    parts them, and none at a right angle to it does.
    """
    while True:
        found = _attempt(description, generator)
        if found is not None:
            return found


def _attempt(description: Description, generator: np.random.Generator) -> tuple[Placed, ...] | None:
    if description.second is None:
        return _scatter(description.first, (0.0, 0.0, 1.0, 1.0), generator)
    cut = float(generator.uniform(0.42, 0.58))
    near: Box = (0.0, 0.0, cut, 1.0)
    far: Box = (cut, 0.0, 1.0, 1.0)
    upright = description.relation in ("above", "below")
    if upright:
        near, far = (0.0, 0.0, 1.0, cut), (0.0, cut, 1.0, 1.0)
    if description.relation in ("right of", "below"):
        near, far = far, near
    first = _scatter(description.first, near, generator)
    second = _scatter(description.second, far, generator)
    if first is None or second is None or not _overlap(first, second, upright):
        return None
    return first + second


def _scatter(group: Group, box: Box, generator: np.random.Generator) -> tuple[Placed, ...] | None:
    """Place a group's objects inside a box; None: they did not fit."""
    radius = float(generator.uniform(*RADII[group.size]))
    left, top, right, bottom = box
    margin = REACH * radius + GAP / 2
    placed: list[Placed] = []
    for x, y, angle in generator.random((ATTEMPTS, 3)):
        candidate = Placed(
            group.pair,
            left + margin + float(x) * (right - left - 2 * margin),
            top + margin + float(y) * (bottom - top - 2 * margin),
            radius,
            (float(angle) - 0.5) * 0.3,
        )
        if all(_apart(candidate, other) for other in placed):
            placed.append(candidate)
            if len(placed) == group.amount:
                return tuple(placed)
    return None


def _apart(one: Placed, other: Placed) -> bool:
    reach = REACH * (one.radius + other.radius) + GAP
    return (one.x - other.x) ** 2 + (one.y - other.y) ** 2 >= reach**2


def _overlap(first: tuple[Placed, ...], second: tuple[Placed, ...], upright: bool) -> bool:
    """Whether some line along the relation meets the centres' spans of both groups."""
    one, other = ([each.x if upright else each.y for each in group] for group in (first, second))
    slack = max(first[0].radius, second[0].radius)
    return min(one) <= max(other) + slack and min(other) <= max(one) + slack
