"""Where the objects of a clip are in each of its frames."""

from __future__ import annotations

from typing import Final

import numpy as np

from seqforge_tasks.captioning.moving.motion import DIRECTIONS, Motion
from seqforge_tasks.captioning.scenes.layout import Placed

# In widths of the picture.
RADII: Final = (0.15, 0.18)
BOTH_RADII: Final = (0.13, 0.155)
"""Of two objects, which leave each other room."""
REACH: Final = 1.15  # of the longest corner, in radii
TRAVEL: Final = {"slowly": (0.14, 0.24), "quickly": (0.4, 0.52)}
APART: Final = (0.56, 0.62)
"""Between the centres of two objects that are far from each other."""
NEAR: Final = 0.02
"""Between the edges of two that have met."""
DRIFT: Final = 0.03
"""How far objects leave their line."""


def course(motion: Motion, frames: int, generator: np.random.Generator) -> list[tuple[Placed, ...]]:
    """Place a clip's objects in each frame, at random but as the motion has it.

    Speed is even. Two objects come together, or separate, along a line that lies anyhow.

    Args:
        motion: What is shown.
        frames: How many frames there are, at least 2.
        generator: What is random.

    Returns:
        The objects of each frame.
    """
    ends = _together(motion, generator) if motion.together else _alone(motion, generator)
    shares = [number / (frames - 1) for number in range(frames)]
    return [tuple(_between(first, last, share) for first, last in ends) for share in shares]


def _alone(motion: Motion, generator: np.random.Generator) -> list[tuple[Placed, Placed]]:
    direction, speed = motion.how.split()
    right, down = DIRECTIONS[direction]
    travel = float(generator.uniform(*TRAVEL[speed]))
    radius, angle = _looks(RADII, generator)
    drift = float(generator.uniform(-DRIFT, DRIFT))
    step_x, step_y = right * travel + drift * abs(down), down * travel + drift * abs(right)
    x, y = (_start(step, radius, generator) for step in (step_x, step_y))
    first = Placed(motion.pair, x, y, radius, angle)
    return [(first, first._replace(x=x + step_x, y=y + step_y))]


def _together(motion: Motion, generator: np.random.Generator) -> list[tuple[Placed, Placed]]:
    looks = [_looks(BOTH_RADII, generator) for _ in range(2)]
    reach = REACH * max(radius for radius, _ in looks)
    near = REACH * sum(radius for radius, _ in looks) + NEAR
    far = float(generator.uniform(*APART))
    turn = float(generator.uniform(0, 2 * np.pi))
    u, v = float(np.cos(turn)), float(np.sin(turn))
    # The middle between them stays where it is.
    x, y = (
        float(generator.uniform(low, 1 - low))
        for low in (reach + abs(part) * far / 2 for part in (u, v))
    )
    ends = []
    for (radius, angle), side in zip(looks, (-0.5, 0.5), strict=True):
        apart, close = (
            Placed(motion.pair, x + side * u * gap, y + side * v * gap, radius, angle)
            for gap in (far, near)
        )
        ends.append((apart, close) if motion.how == "meet" else (close, apart))
    return ends


def _looks(radii: tuple[float, float], generator: np.random.Generator) -> tuple[float, float]:
    """Draw a radius, and an angle in radians."""
    return float(generator.uniform(*radii)), float(generator.uniform(-0.15, 0.15))


def _start(step: float, radius: float, generator: np.random.Generator) -> float:
    """Draw where something starts that moves by `step` and stays in the picture."""
    margin = REACH * radius
    return float(generator.uniform(margin + max(0.0, -step), 1 - margin - max(0.0, step)))


def _between(first: Placed, last: Placed, share: float) -> Placed:
    x, y = (one + share * (two - one) for one, two in ((first.x, last.x), (first.y, last.y)))
    return first._replace(x=x, y=y)
