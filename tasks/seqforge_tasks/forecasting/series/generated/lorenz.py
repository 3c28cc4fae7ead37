"""The Lorenz equations of 1963, a chaotic flow in three dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0


def lorenz(
    series: int, length: int, step: float = 0.02, seed: int = 0, transient: int = 1000
) -> NDArray[np.float64]:
    """Return series `(series, length, 3)` of x, y and z.

    `dx/dt = 10 (y - x)`, `dy/dt = x (28 - z) - y`, `dz/dt = x y - 8/3 z` (Lorenz 1963), by the
    classical Runge-Kutta method of fourth order in float64.

    Args:
        series: How many; each has a beginning of its own, which does not depend on how many there
            are: (0, 1, 1.05) and normal noise.
        length: Points of each.
        step: Time from one point to the next, which is that of the integration.
        seed: What the beginnings are drawn from.
        transient: Points that are left out at the beginning, on the way to the attractor.
    """
    noise = [np.random.default_rng([seed, number]).standard_normal(3) for number in range(series)]
    present = np.array([0.0, 1.0, 1.05]) + np.array(noise)
    points = np.empty((length, series, 3))
    for point in range(transient + length):
        first = _change(present)
        second = _change(present + step / 2 * first)
        third = _change(present + step / 2 * second)
        fourth = _change(present + step * third)
        present = present + step / 6 * (first + 2 * second + 2 * third + fourth)
        if point >= transient:
            points[point - transient] = present
    return np.ascontiguousarray(points.transpose(1, 0, 2))


def _change(state: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the derivative of states `(series, 3)` by time."""
    x, y, z = state.T
    return np.stack([SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z], axis=1)
