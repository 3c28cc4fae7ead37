"""Text below pictures: in lines that fit, of signs that the font has."""

from __future__ import annotations

from typing import Final

from matplotlib import font_manager

FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so that lines break alike everywhere."""

UNSEEN: Final = "□"
"""Stands for a sign that the font lacks."""

_MORE: Final = "…"

_LARGE: Final = 100.0
"""Size at which text is measured, in points."""


def drawable(text: str) -> str:
    """Return a text with all that the font cannot draw replaced."""
    font = font_manager.get_font(font_manager.findfont(FONT))
    signs = (sign if sign.isprintable() else " " for sign in text)
    return "".join(sign if font.get_char_index(ord(sign)) else UNSEEN for sign in signs)


def wrapped(text: str, width: float, size: float, lines: int) -> list[str]:
    """Break a text into lines that are no wider than `width` as they are drawn.

    Args:
        text: What is to be drawn; runs of spaces count as one.
        width: In points.
        size: Of the font, in points.
        lines: How many there may be; what is left over is cut, and an ellipsis says so.

    Returns:
        The lines; none of an empty text. Words that are too wide for a line are broken.
    """
    left, done = " ".join(drawable(text).split()), list[str]()
    while left:
        last = len(done) == lines - 1
        if text_width(left, size) <= width:
            return [*done, left]
        room = width - text_width(_MORE, size) if last else width
        fitting = _fitting(left, room, size)
        space = left.rfind(" ", 1, fitting + 1)
        cut = space if space > 0 else fitting
        if last:
            return [*done, left[:cut].rstrip() + _MORE]
        done.append(left[:cut].rstrip())
        left = left[cut:].lstrip()
    return done


def text_width(text: str, size: float) -> float:
    """Return how wide a text of one line is drawn, in points."""
    font = font_manager.get_font(font_manager.findfont(FONT))
    font.set_size(_LARGE, 72)  # small signs are measured roughly: they are moved to whole pixels
    font.set_text(text, 0.0)
    width, _ = font.get_width_height()
    return float(width) / 64 * size / _LARGE  # it counts in 64ths of a pixel


def _fitting(text: str, width: float, size: float) -> int:
    """Return how many first signs of a text fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle], size) <= width:
            low = middle
        else:
            high = middle - 1
    return low
