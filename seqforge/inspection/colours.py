"""Colours that colour-blind readers can tell apart, and grounds on which dark text stays readable.

The series are those of Okabe & Ito 2008.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
REFERENCES = {"RNN": "#777777", "LSTM": "#444444", "GRU": "#999999"}

INK = (26, 26, 26)
LOW = (116, 173, 222)
"""An activation of -1: blue, light enough for text in `INK`."""
MIDDLE = (255, 255, 255)
HIGH = (244, 140, 120)
"""An activation of 1: red, likewise."""


def shades(activations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn activations into ground colours: blue for -1, white for 0, red for 1.

    Args:
        activations: `(N,)`; what lies outside [-1, 1] is cut.

    Returns:
        `(N, 3)`, red, green and blue in [0, 1].
    """
    amount = np.clip(activations, -1.0, 1.0)[:, None]
    ends = np.where(amount < 0, np.array(LOW), np.array(HIGH))
    mixed: NDArray[np.float64] = (np.array(MIDDLE) + np.abs(amount) * (ends - MIDDLE)) / 255
    return mixed


def scaled(activations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide activations `(T,)` by the largest size if they leave [-1, 1], as a relu's do."""
    most = float(np.abs(activations).max(initial=0.0))
    return activations / most if most > 1 else activations


def css(colour: tuple[int, int, int]) -> str:
    """Write a colour as CSS does."""
    return f"rgb({colour[0]}, {colour[1]}, {colour[2]})"
