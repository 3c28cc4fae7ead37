"""The picture of a text, coloured by what single units do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from seqforge.inspection.colours import INK, shades

COLUMNS = 80
LINES = 6
EXCERPT = COLUMNS * LINES
"""Symbols of the text that a panel draws from."""

UNSEEN = "□"
"""Stands for a sign that the font lacks."""

Floats = NDArray[np.float64]


class Panel(NamedTuple):
    """One unit's part of the picture.

    Attributes:
        title: What the unit follows, and how sharply.
        symbols: The excerpt.
        activations: `(T,)` of the excerpt, in [-1, 1].
    """

    title: str
    symbols: Sequence[str]
    activations: Floats


class _Cell(NamedTuple):
    """One square of a panel: its line and column, its sign and its position in the excerpt."""

    line: int
    column: int
    sign: str
    position: int


def excerpt(values: Floats) -> slice:
    """Choose the part of a text in which a feature changes most.

    Args:
        values: `(T,)`, the feature's.

    Returns:
        Positions of the second half, which had no part in choosing the units; at most `EXCERPT`.
    """
    half = len(values) // 2
    starts = range(half, max(half, len(values) - EXCERPT) + 1, EXCERPT // 4)
    best = max(starts, key=lambda start: float(values[start : start + EXCERPT].std()))
    return slice(best, best + EXCERPT)


def text_figure(panels: Sequence[Panel]) -> Figure:
    """Draw excerpts of a text, each on the colours of one unit.

    Args:
        panels: At least one.
    """
    laid = [_lay_out(panel.symbols) for panel in panels]
    rows = [max(cell.line for cell in cells) + 1 for cells in laid]
    height = 0.21 * sum(rows) + 0.42 * len(rows) + 0.9
    figure = Figure(figsize=(8.8, height), layout="constrained")
    grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=rows)[:, 0]
    for axes, panel, cells, lines in zip(grid, panels, laid, rows, strict=True):
        _draw(axes, panel, cells, lines)
    grid[-1].set_xlabel("text, symbol by symbol (↵ ends a line)", fontsize=9)
    figure.suptitle(
        "The units that follow each feature of the text most sharply\n"
        "ground: blue for an activation of -1, white for 0, red for 1",
        fontsize=11,
    )
    return figure


def _lay_out(symbols: Sequence[str]) -> list[_Cell]:
    """Give each symbol a place; lines longer than the panel are broken, newlines shown."""
    cells: list[_Cell] = []
    line = column = 0
    for position, symbol in enumerate(symbols):
        for sign in symbol:
            if line == LINES:
                return cells
            cells.append(_Cell(line, column, "↵" if sign == "\n" else sign, position))
            column += 1
            if sign == "\n" or column == COLUMNS:
                line, column = line + 1, 0
    return cells or [_Cell(0, 0, " ", 0)]


def _draw(axes: Axes, panel: Panel, cells: list[_Cell], lines: int) -> None:
    grounds = shades(panel.activations)
    ink = tuple(part / 255 for part in INK)
    for cell in cells:
        ground = grounds[cell.position]
        axes.add_patch(Rectangle((cell.column, cell.line), 1, 1, facecolor=ground, linewidth=0))
        if not cell.sign.isspace():
            axes.text(
                cell.column + 0.5,
                cell.line + 0.54,
                cell.sign if _drawable(cell.sign) else UNSEEN,
                ha="center",
                va="center",
                family="DejaVu Sans Mono",
                fontsize=9,
                color=ink,
                parse_math=False,
            )
    axes.set_xlim(0, COLUMNS)
    axes.set_ylim(lines, 0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(panel.title, fontsize=10, loc="left")
    for side in axes.spines.values():
        side.set_color("#bbbbbb")


def _drawable(sign: str) -> bool:
    font = font_manager.get_font(font_manager.findfont("DejaVu Sans Mono"))
    return sign.isprintable() and font.get_char_index(ord(sign)) != 0
