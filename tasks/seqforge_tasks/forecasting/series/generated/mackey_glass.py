"""The Mackey-Glass equation, a series with a delay that is chaotic from a delay of 17 on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = 10
"""Steps of integration in a unit of time, after which one point is kept."""


def mackey_glass(
    series: int, length: int, tau: float = 17.0, seed: int = 0, transient: int = 0
) -> NDArray[np.float64]:
    """Return series `(series, length)`, one point a unit of time.

    `dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t)` (Mackey and Glass 1977), by Euler's
    method with steps of 0.1 in float64. Each series starts at 1.2, and what came before it is 1.2
    and uniform noise of width 0.2: the recipe of the whole-sequence task of Voelker et al. 2019.

    Args:
        series: How many; each has numbers of its own, which do not depend on how many there are.
        length: Points of each.
        tau: The delay, in units of time.
        seed: What the beginnings are drawn from.
        transient: Points that are left out at the beginning.
    """
    delay = round(tau * STEPS)
    beginnings = np.stack(
        [np.random.default_rng([seed, number]).random(delay) for number in range(series)], axis=1
    )
    past = 1.2 + 0.2 * (beginnings - 0.5)  # (delay, series), read and overwritten in a circle
    present = np.full(series, 1.2)
    points = np.empty((length, series))
    for step in range((transient + length) * STEPS):
        place = step % delay
        delayed = past[place].copy()
        past[place] = present
        change = 0.2 * delayed / (1.0 + delayed**10) - 0.1 * present
        present = present + change / STEPS
        point, within = divmod(step + 1, STEPS)
        if not within and point > transient:
            points[point - transient - 1] = present
    return np.ascontiguousarray(points.T)
