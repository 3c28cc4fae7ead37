"""Pictures of captioned photos: a contact sheet, and where each word looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure as MatplotlibFigure
from numpy.typing import NDArray
from torch import Tensor

from seqforge_tasks.captioning.figure_text import FONT, wrapped

POINTS = 72.0
"""Of an inch."""

MARGIN = 0.15
"""Between photos, and around them, in inches."""

LEADING = 1.3
"""Distance of lines, in heights of the font."""

SHEET_SIDE = 2.5
"""Of a photo on a contact sheet, in inches."""

CAPTION, REFERENCE = (10.0, "black"), (9.0, "0.45")
"""Size in points, and colour."""

LINES = 4
"""Of a caption below its photo; longer ones are cut."""

PANEL = 1.7
"""Width and height of a word's photo, in inches."""

WORD = 10.5
"""Size of a word above its photo, in points."""

FRAMES_WIDTH, FRAME_LEAST = 12.0, 0.4
"""Width of all frames of a clip, as long as each is at least so wide, in inches."""

LABEL_WIDTH = 1.6
"""Room for words beside the frames, in inches."""

COLUMNS = 5
"""Panels of a row of a picture of attention."""

DARKEST = 0.25
"""Brightness of a photo where a word does not look at all."""

GLOW = 0.35
"""Share of white where it looks most: that is to be seen on the dark parts of a photo too."""


class SheetEntry(NamedTuple):
    """A photo on a contact sheet.

    Attributes:
        photo: `(3, S, S)` uint8.
        caption: What the network says.
        reference: What somebody else says; "": nobody.
    """

    photo: Tensor
    caption: str
    reference: str = ""


class _Line(NamedTuple):
    text: str
    size: float
    colour: str
    above: float = 0.0

    @property
    def height(self) -> float:
        """In inches, with the room above it."""
        return self.size * LEADING / POINTS + self.above


def contact_sheet(entries: Sequence[SheetEntry], columns: int = 4) -> MatplotlibFigure:
    """Draw photos in a grid, row by row, each with its caption and below it a reference in grey.

    Args:
        entries: At least one.
        columns: Photos of a row at most.
    """
    columns = min(columns, len(entries))
    rows = [entries[first : first + columns] for first in range(0, len(entries), columns)]
    texts = [[_below(entry) for entry in row] for row in rows]
    deepest = [max(sum(line.height for line in lines) for lines in row) for row in texts]
    sheet = _Sheet(
        MARGIN + columns * (SHEET_SIDE + MARGIN),
        MARGIN + sum(SHEET_SIDE + MARGIN * 1.5 + depth for depth in deepest),
    )
    top = MARGIN
    for row, below, depth in zip(rows, texts, deepest, strict=True):
        for column, (entry, lines) in enumerate(zip(row, below, strict=True)):
            left = MARGIN + column * (SHEET_SIDE + MARGIN)
            sheet.photo(_pixels(entry.photo), left, top, SHEET_SIDE)
            sheet.write(lines, left, top + SHEET_SIDE + MARGIN / 3)
        top += SHEET_SIDE + MARGIN * 1.5 + depth
    return sheet.figure


def film_strip(frames: Tensor) -> Tensor:
    """Put four frames of a clip into a square, row by row: the first, two between, the last.

    Args:
        frames: `(F, 3, S, S)` uint8.

    Returns:
        `(3, S', S')` uint8.
    """
    places = torch.linspace(0, len(frames) - 1, 4).round().long()
    gap = max(2, frames.size(3) // 32)
    framed = F.pad(frames[places.to(frames.device)], (0, gap, 0, gap), value=255)  # (4, 3, S', S')
    rows = [torch.cat((framed[n], framed[n + 1]), dim=2) for n in (0, 2)]
    return torch.cat(rows, dim=1)[:, :-gap, :-gap]


def moments_figure(
    frames: Tensor, words: Sequence[str], weights: Tensor, caption: str
) -> MatplotlibFigure:
    """Draw the frames of a clip in a row, and below them for each word when it looks.

    The darker a cell, the more the word looks at that frame (Yao et al. 2015, figure 3).

    Args:
        frames: `(F, 3, S, S)` uint8.
        words: Labels of the rows (T).
        weights: `(T, F)`.
        caption: Stands above all.
    """
    count = len(frames)
    side = max(FRAME_LEAST, min(PANEL, FRAMES_WIDTH / count))
    label = LABEL_WIDTH
    width = label + count * side + MARGIN
    title = _lines(caption, (width - 2 * MARGIN) * POINTS, (12.0, "black"), LINES)
    head = MARGIN * 1.5 + sum(line.height for line in title)
    cell = WORD * LEADING / POINTS * 1.2
    sheet = _Sheet(width, head + side + MARGIN + max(1, len(words)) * cell + MARGIN)
    sheet.write(title, MARGIN, MARGIN)
    for place, frame in enumerate(frames):
        inside = side * 0.96
        sheet.photo(_pixels(frame), label + place * side + (side - inside) / 2, head, inside)
    if not words:
        return sheet.figure
    top = head + side + MARGIN / 2
    # Of a search it ends with the last word, though the weights may go on.
    shades = weights[: len(words)].float()  # (T, F)
    sheet.table(shades.numpy(), (label, top), (side, cell))
    for row, word in enumerate(words):
        above = (cell - WORD * LEADING / POINTS) / 2
        sheet.write(_label(word), label - MARGIN, top + row * cell + above, ha="right")
    return sheet.figure


def attention_figure(
    photo: Tensor, words: Sequence[str], weights: Tensor, grid: tuple[int, int], caption: str
) -> MatplotlibFigure:
    """Draw the photo, and again for each word, bright where the word looks (Xu et al. 2015).

    Light goes by the weight over the word's largest: a word that looks everywhere alike is bright
    everywhere. Between the middles of regions the weights are interpolated.

    Args:
        photo: `(3, S, S)` uint8.
        words: Labels of the panels (T).
        weights: `(T, P)`, of the regions row by row.
        grid: Rows and columns of regions.
        caption: Stands above all.
    """
    columns = min(COLUMNS, len(words) + 1)
    rows = math.ceil((len(words) + 1) / columns)
    labels = [_label(word) for word in ("", *words)]
    width = MARGIN + columns * (PANEL + MARGIN)
    title = _lines(caption, (width - 2 * MARGIN) * POINTS, (12.0, "black"), LINES)
    head = MARGIN * 1.5 + sum(line.height for line in title)
    label_height = WORD * LEADING / POINTS
    high = label_height + PANEL + MARGIN / 2
    sheet = _Sheet(width, head + rows * high + MARGIN / 2)
    sheet.write(title, MARGIN, MARGIN)
    pixels = _pixels(photo)
    panels = [pixels, *(_lit(pixels, each, grid) for each in weights)]
    for place, (panel, label) in enumerate(zip(panels, labels, strict=True)):
        row, column = divmod(place, columns)
        left, top = MARGIN + column * (PANEL + MARGIN), head + row * high
        sheet.write(label, left + PANEL / 2, top, ha="center")
        sheet.photo(panel, left, top + label_height, PANEL)
    return sheet.figure


class _Sheet:
    """A figure on which things lie at places in inches from the top left."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = MatplotlibFigure(figsize=(width, height), facecolor="white")

    def photo(self, pixels: Tensor, left: float, top: float, side: float) -> None:
        """Put a photo `(S, S, 3)` in [0, 1] there."""
        axes = self.figure.add_axes(self._inside(left, top, side, side))
        axes.imshow(pixels.numpy(), aspect="auto", interpolation="bicubic")
        axes.set_axis_off()

    def table(
        self, values: NDArray[np.float32], corner: tuple[float, float], cell: tuple[float, float]
    ) -> None:
        """Put cells there, dark where values are large; `cell` is their width and height."""
        rows, columns = values.shape
        left, top = corner
        axes = self.figure.add_axes(self._inside(left, top, columns * cell[0], rows * cell[1]))
        # What looks everywhere alike is pale.
        darkest = max(float(values.max()), min(1.0, 3.0 / columns))
        axes.pcolormesh(
            values[::-1], cmap="Blues", vmin=0.0, vmax=darkest, edgecolors="0.85", linewidth=0.5
        )
        axes.set_axis_off()

    def write(self, lines: Sequence[_Line], left: float, top: float, ha: str = "left") -> None:
        """Put lines there, one below the other."""
        for line in lines:
            # A dollar sign is no mathematics here.
            font: dict[str, Any] = {"parse_math": False, "family": FONT, "fontsize": line.size}
            # By the base line: the same for all letters, tall or not.
            base = top + line.above + line.size / POINTS
            self.figure.text(
                left / self.width,
                1 - base / self.height,
                line.text,
                ha=ha,
                va="baseline",
                color=line.colour,
                **font,
            )
            top += line.height

    def _inside(
        self, left: float, top: float, wide: float, high: float
    ) -> tuple[float, float, float, float]:
        """Return a place in shares of the figure, from the bottom left."""
        bottom = 1 - (top + high) / self.height
        return left / self.width, bottom, wide / self.width, high / self.height


def _below(entry: SheetEntry) -> list[_Line]:
    width = SHEET_SIDE * POINTS
    caption = _lines(entry.caption or "(nothing)", width, CAPTION, LINES)
    reference = _lines(entry.reference, width, REFERENCE, LINES)
    return [*caption, *(each._replace(above=MARGIN / 3) for each in reference[:1]), *reference[1:]]


def _lines(text: str, width: float, style: tuple[float, str], most: int) -> list[_Line]:
    size, colour = style
    return [_Line(line, size, colour) for line in wrapped(text, width, size, most)]


def _label(word: str) -> list[_Line]:
    # Sentencepiece's sign for a space shows which pieces begin a word; it is drawn as one.
    shown = word.replace("▁", " ").strip() or word
    return _lines(shown, (PANEL + MARGIN / 2) * POINTS, (WORD, "black"), 1)


def _pixels(photo: Tensor) -> Tensor:
    return photo.cpu().permute(1, 2, 0) / 255.0  # (S, S, 3)


def _lit(pixels: Tensor, weights: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return the photo `(S, S, 3)`, dark where the weights `(P,)` are small, whiter where large."""
    size = (pixels.shape[0], pixels.shape[1])
    coarse = weights.float().view(1, 1, *grid)
    smooth = F.interpolate(coarse, size, mode="bicubic", align_corners=False)[0, 0]
    light = smooth / smooth.max().clamp(min=torch.finfo(smooth.dtype).tiny)
    light = light.clamp(min=0.0).unsqueeze(2)  # bicubic curves swing below the smallest weight
    shaded = pixels * (DARKEST + (1.0 - DARKEST) * light)
    return shaded + GLOW * light * (1.0 - shaded)
