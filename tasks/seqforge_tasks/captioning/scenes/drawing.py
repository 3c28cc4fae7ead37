"""Scenes as pictures."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, pi, sin
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from seqforge_tasks.captioning.scenes.description import COLOURS
from seqforge_tasks.captioning.scenes.layout import Placed

FINER: Final = 4
"""Pictures are drawn this many times finer and made smaller, which smooths the edges."""

# Shapes are outlined, so that their edges look the same whatever the colour inside.
LINE: Final = (60, 60, 60)
LINE_WIDTH: Final = 1 / 32  # in widths of the picture

Points = tuple[tuple[float, float], ...]


def _polygon(radii: Iterable[float], first: float) -> Points:
    """Return corners at equal angles around the centre, the first at an angle from the right."""
    lengths = tuple(radii)
    angles = (first + 2 * pi * n / len(lengths) for n in range(len(lengths)))
    return tuple((r * cos(a), r * sin(a)) for r, a in zip(lengths, angles, strict=True))


def _cross(arm: float, reach: float) -> Points:
    corner = ((arm, arm), (arm, reach), (-arm, reach))
    return tuple(
        (x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn))
        for turn in (0, pi / 2, pi, 3 * pi / 2)
        for x, y in corner
    )


# Corners inside the circle of radius 1, the y axis down; all shapes but the circle have some.
CORNERS: Final[dict[str, Points]] = {
    "square": _polygon([1.05] * 4, pi / 4),
    "triangle": _polygon([1.1] * 3, -pi / 2),
    "diamond": ((0.0, -1.1), (0.68, 0.0), (0.0, 1.1), (-0.68, 0.0)),
    "cross": _cross(0.3, 1.0),
    "star": _polygon([1.15, 0.46] * 5, -pi / 2),
}


def draw(objects: Iterable[Placed], size: int, generator: np.random.Generator) -> Image.Image:
    """Draw objects on a light ground.

    Args:
        objects: What to draw.
        size: Height and width of the picture in pixels.
        generator: Gives the shades of the ground and of each object.

    Returns:
        An RGB picture.
    """
    scale = size * FINER
    ground = tuple(int(value) for value in generator.integers(222, 250, 3))
    image = Image.new("RGB", (scale, scale), ground)
    pen = ImageDraw.Draw(image)
    width = max(1, round(LINE_WIDTH * scale))
    for each in objects:
        colour = _shade(COLOURS[each.pair.colour], generator)
        x, y, radius = each.x * scale, each.y * scale, each.radius * scale
        if each.pair.shape == "circle":
            reach = 0.9 * radius
            box = (x - reach, y - reach, x + reach, y + reach)
            pen.ellipse(box, fill=colour, outline=LINE, width=width)
            continue
        c, s = radius * cos(each.angle), radius * sin(each.angle)
        corners = [(x + c * u - s * v, y + s * u + c * v) for u, v in CORNERS[each.pair.shape]]
        pen.polygon(corners, fill=colour, outline=LINE, width=width)
    return image.reduce(FINER)


def _shade(colour: tuple[int, ...], generator: np.random.Generator) -> tuple[int, ...]:
    """Return a colour darker by up to a quarter, with a tint."""
    light = float(generator.uniform(0.75, 1.0))
    return tuple(
        min(255, max(0, round(value * light) + int(change)))
        for value, change in zip(colour, generator.integers(-16, 17, 3), strict=True)
    )
