"""The picture of attention: which source words each written word was made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure as MatplotlibFigure
from torch import Tensor

CELL = 0.32
"""Width and height of a cell, in inches; of very long sentences, it is less."""

LARGEST = 40.0
"""Width and height of the grid at most, in inches."""

LABEL = 24
"""Characters of a piece that are shown."""

FONT_SIZE = 10.0
LETTER = 0.12
"""Width of a letter at most, in inches."""


def attention_figure(
    source: Sequence[str], target: Sequence[str], weights: Tensor
) -> MatplotlibFigure:
    """Draw attention as a grid: a column for each source piece, a row for each target piece.

    The darker a cell, the more the row's word looked at the column's (Bahdanau et al. 2014,
    figure 3); each row sums to 1.

    Args:
        source: Labels of the columns (S).
        target: Labels of the rows (T).
        weights: `(T, S)`, in [0, 1].
    """
    columns, rows = _labels(source), _labels(target)
    cell = min(CELL, LARGEST / max(len(columns), len(rows)))
    wide, high = (LETTER * max(map(len, labels)) for labels in (rows, columns))
    size = (0.4 + wide + high / 2 + cell * len(columns), 0.4 + high + cell * len(rows))
    figure = MatplotlibFigure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(weights.numpy(), cmap="Blues", vmin=0.0, vmax=1.0, aspect="equal")
    # A dollar sign is no mathematics here.
    font: dict[str, Any] = {"parse_math": False, "fontsize": max(2.0, FONT_SIZE * cell / CELL)}
    turned: dict[str, Any] = {"rotation": 60, "ha": "left", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(columns)), columns, **turned, **font)
    axes.set_yticks(range(len(rows)), rows, **font)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for edge in axes.spines.values():
        edge.set_visible(False)
    axes.set_xticks([column - 0.5 for column in range(1, len(source))], minor=True)
    axes.set_yticks([row - 0.5 for row in range(1, len(target))], minor=True)
    axes.grid(which="minor", color="0.9", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    return figure


def _labels(pieces: Sequence[str]) -> list[str]:
    printable = ["".join(sign if sign.isprintable() else " " for sign in each) for each in pieces]
    return [each if len(each) <= LABEL else each[: LABEL - 1] + "…" for each in printable]
