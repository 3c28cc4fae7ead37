"""Draws the figures of this folder: `python docs/assets/draw.py [FOLDER]`.

Each lies on a light card of its own, so that it can be read on a dark page too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

INK, FAINT, CARD, EDGE = "#1f2937", "#6b7280", "#ffffff", "#d1d5db"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


class Paint(NamedTuple):
    """Fill and outline of a kind of box."""

    fill: str
    line: str


INPUT = Paint("#dbeafe", "#1d4ed8")
STATE = Paint("#dcfce7", "#15803d")
DECODER = Paint("#ede9fe", "#6d28d9")
OUTPUT = Paint("#fef3c7", "#b45309")
CORE = Paint("#e0e7ff", "#4338ca")
PLAIN = Paint("#f3f4f6", "#4b5563")
GRADIENT = "#b91c1c"


class Drawing:
    """Collects the parts of one figure."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.size = (width, height)
        self.title = title
        self.parts: list[str] = []
        self.colours: set[str] = set()

    def box(
        self, x: float, y: float, w: float, h: float, text: str, paint: Paint, size: int = 15
    ) -> None:
        """Draw a box with its top left corner at (x, y) and lines of text in its middle."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="8" '
            f'fill="{paint.fill}" stroke="{paint.line}" stroke-width="1.5"/>'
        )
        lines = text.split("\n")
        for number, line in enumerate(lines):
            middle = y + h / 2 + (number - (len(lines) - 1) / 2) * (size + 4) + size * 0.35
            bold = number == 0 and len(lines) > 1
            self.text(x + w / 2, middle, line, size=size if bold or len(lines) == 1 else size - 2,
                      bold=bold)  # fmt: skip

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: int = 14,
        colour: str = INK,
        anchor: str = "middle",
        bold: bool = False,
    ) -> None:
        """Write one line, its baseline at y."""
        weight = ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}"{weight}>{escape(text)}</text>'
        )

    def arrow(
        self, points: Sequence[tuple[float, float]], colour: str = INK, dashed: bool = False
    ) -> None:
        """Draw an arrow along points; with four points, a curve through two control points."""
        start, *rest = [f"{x:g},{y:g}" for x, y in points]
        way = f"C{' '.join(rest)}" if len(points) == 4 else "".join(f" L{point}" for point in rest)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.colours.add(colour)
        self.parts.append(
            f'<path d="M{start} {way.strip()}" fill="none" stroke="{colour}" stroke-width="1.6"'
            f'{dash} marker-end="url(#tip-{colour[1:]})"/>'
        )

    def line(
        self, start: tuple[float, float], end: tuple[float, float], colour: str, dash: str = ""
    ) -> None:
        """Draw a straight line, dashed if its dashes are given."""
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<path d="M{start[0]:g},{start[1]:g} L{end[0]:g},{end[1]:g}" fill="none" '
            f'stroke="{colour}" stroke-width="1.6"{dashes}/>'
        )

    def svg(self) -> str:
        """Return the whole figure."""
        width, height = self.size
        tips = "".join(
            f'<marker id="tip-{colour[1:]}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            f'markerHeight="7" orient="auto"><path d="M0,0.5 L10,5 L0,9.5 z" fill="{colour}"/>'
            "</marker>\n"
            for colour in sorted(self.colours)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" font-family="{FONT}">\n'
            f"<title>{escape(self.title)}</title>\n<defs>\n{tips}</defs>\n"
            f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="12" '
            f'fill="{CARD}" stroke="{EDGE}"/>\n' + "\n".join(self.parts) + "\n</svg>\n"
        )


class Step(NamedTuple):
    """One step of an unrolled network; an empty text means that there is no such box."""

    input: str = ""
    output: str = ""
    state: Paint = STATE
    feedback: bool = False  # the output before is read as well


def unrolled(title: str, steps: Sequence[Step], rows: tuple[str, str, str]) -> Drawing:
    """Draw a recurrent network step by step: inputs below, states between, outputs above."""
    w, h, gap, left = 82, 44, 40, 118
    tops = (30, 122, 214)
    drawing = Drawing(left + len(steps) * (w + gap) - gap + 30, 288, title)
    for top, label in zip(tops, rows, strict=True):
        drawing.text(22, top + h / 2 + 5, label, colour=FAINT, anchor="start")
    for number, step in enumerate(steps):
        x = left + number * (w + gap)
        drawing.box(x, tops[1], w, h, f"s{_subscript(number + 1)}", step.state, size=17)
        if number:
            drawing.arrow([(x - gap, tops[1] + h / 2), (x - 2, tops[1] + h / 2)])
        if step.input:
            drawing.box(x, tops[2], w, h, step.input, INPUT)
            drawing.arrow([(x + w / 2, tops[2]), (x + w / 2, tops[1] + h + 2)])
        if step.output:
            drawing.box(x, tops[0], w, h, step.output, OUTPUT)
            drawing.arrow([(x + w / 2, tops[1]), (x + w / 2, tops[0] + h + 2)])
        if step.feedback:
            middle = (tops[0] + h + tops[1]) / 2
            drawing.arrow(
                [
                    (x - gap - 16, tops[0] + h),
                    (x - gap - 16, middle + 18),
                    (x + 16, middle - 18),
                    (x + 16, tops[1] - 2),
                ],
                colour=OUTPUT.line,
                dashed=True,
            )
    return drawing


def one_to_many() -> Drawing:
    """Image captioning."""
    steps = [
        Step("image", "a"),
        *(Step("", word, feedback=True) for word in ("dog", "runs", "⟨end⟩")),
    ]
    return unrolled("One to many", steps, ("words", "states", "input"))


def many_to_one() -> Drawing:
    """Classification: the script of a character, from its name."""
    steps = [*(Step(letter) for letter in "SHCH"), Step("A", "Cyrillic")]
    return unrolled("Many to one", steps, ("script", "states", "letters"))


def in_step() -> Drawing:
    """Character generation."""
    steps = [Step(a, b) for a, b in zip("hello", "ello␣", strict=True)]
    return unrolled("Many to many, in step", steps, ("next ones", "states", "characters"))


def delayed() -> Drawing:
    """Translation."""
    reading = [Step(word) for word in ("ich", "sehe", "dich")]
    writing = [
        Step("", word, DECODER, number > 0)
        for number, word in enumerate(("I", "see", "you", "⟨end⟩"))
    ]
    drawing = unrolled(
        "Many to many, delayed", [*reading, *writing], ("target", "states", "source")
    )
    drawing.text(118 + 1.5 * 122 - 20, 112, "encoder", colour=STATE.line)
    drawing.text(118 + 5 * 122 - 20, 192, "decoder", colour=DECODER.line)
    return drawing


def truncated() -> Drawing:
    """Lanes, chunks, carried state and cut gradients."""
    drawing = Drawing(900, 432, "Truncated backpropagation over contiguous lanes")
    left, width, paints = 96, 774, (INPUT, STATE, OUTPUT)
    drawing.text(22, 56, "the text", colour=FAINT, anchor="start")
    for number, paint in enumerate(paints):
        part = width / 3
        drawing.box(left + number * part, 30, part, 40, f"lane {number + 1}", paint)
    chunk, gap, top = 150, 58, 132
    for column in range(4):
        x = left + column * (chunk + gap)
        drawing.text(x + chunk / 2, top - 14, f"batch {column + 1}", colour=FAINT)
        for row, paint in enumerate(paints):
            y = top + row * 70
            drawing.box(x, y, chunk, 46, "", paint)
            drawing.text(x + chunk / 2, y + 20, f"chunk {column + 1}", size=14)
            drawing.arrow([(x + chunk - 14, y + 33), (x + 14, y + 33)], GRADIENT, dashed=True)
            if column < 3:
                drawing.arrow([(x + chunk, y + 23), (x + chunk + gap - 2, y + 23)])
    for row in range(3):
        drawing.text(22, top + row * 70 + 28, f"row {row + 1}", colour=FAINT, anchor="start")
    drawing.arrow([(left, 370), (left + 50, 370)])
    drawing.text(
        left + 62, 375, "the state is carried on to the next batch, detached", anchor="start"
    )
    drawing.arrow([(left + 50, 402), (left, 402)], GRADIENT, dashed=True)
    drawing.text(
        left + 62,
        407,
        "gradients flow back within a chunk, and stop at its beginning",
        anchor="start",
    )
    return drawing


def picture() -> Drawing:
    """The parts of seqforge."""
    d = Drawing(960, 486, "The parts of seqforge")
    d.box(24, 40, 132, 52, "config.yaml", PLAIN)
    d.box(196, 40, 132, 52, "seqforge fit", PLAIN)
    d.box(368, 24, 340, 84, "SequenceModule\nthe only LightningModule: optimisation, exact\n"
          "loss, carried state, logging, checkpoints", CORE)  # fmt: skip
    d.box(772, 40, 164, 52, "Trainer\n1 CPU … many nodes", PLAIN)
    d.arrow([(156, 66), (194, 66)])
    d.arrow([(328, 66), (366, 66)])
    d.arrow([(708, 66), (770, 66)])
    d.box(24, 190, 220, 70, "DataModule\nTextFile · a plugin's", INPUT)
    d.box(368, 190, 190, 70, "EncoderFactory\ninput sizes from the task", STATE)
    d.box(644, 190, 292, 70, "Task\nnetwork · loss · metrics · inference", OUTPUT)
    d.arrow([(262, 92), (262, 140), (134, 140), (134, 188)])
    d.arrow([(463, 108), (463, 188)])
    d.arrow([(676, 108), (676, 150), (790, 150), (790, 188)])
    d.arrow([(558, 225), (642, 225)])
    d.text(600, 216, "encoders", size=12, colour=FAINT)
    d.box(368, 292, 190, 52, "RNN · LSTM · GRU\na plugin's", STATE, size=14)
    d.arrow([(463, 260), (463, 290)])
    d.box(644, 292, 292, 70, "CharGeneration\nplanned: translation, forecasting, captioning\n"
          "a plugin's", OUTPUT, size=14)  # fmt: skip
    d.arrow([(790, 260), (790, 290)])
    d.arrow([(134, 260), (134, 276), (300, 276), (300, 166), (720, 166), (720, 188)], INPUT.line,
            dashed=True)  # fmt: skip
    d.text(150, 296, "spec: sizes and vocabularies, as plain values", size=12, colour=INPUT.line)
    d.box(24, 404, 180, 52, "best.ckpt\ntensors and plain values", PLAIN, size=14)
    d.box(290, 404, 170, 52, "seqforge.load", PLAIN)
    d.box(546, 404, 390, 52, "the same task, ready to infer\nno YAML, no data, no code in the file",
          OUTPUT, size=14)  # fmt: skip
    d.arrow([(204, 430), (288, 430)])
    d.arrow([(460, 430), (544, 430)])
    return d


def forecast_window() -> Drawing:
    """One window of forecasting: context, horizon, covariates and the cut-off between."""
    drawing = Drawing(920, 470, "One window: context, cut-off, horizon")
    left, step, w, h = 176, 64, 58, 38
    context, horizon = 7, 4
    cut = left + context * step - (step - w) / 2
    right = left + (context + horizon) * step - (step - w)
    rows = (
        ("day", "1 2 3 4 5 6 7 8 9 10 11", PLAIN),
        ("target", "20 23 21 — 26 31 33 ? ? ? ?", INPUT),
        ("past covariate", "14 15 13 12 16 18 19", INPUT),
        ("known covariate", "0 0 1 0 0 0 1 0 0 1 0", STATE),
        ("calendar", "Mo Tu We Th Fr Sa Su Mo Tu We Th", STATE),
    )
    for start, end, text in ((left, cut - 3, "context: 7 steps"), (cut + 3, right, "horizon: 4")):
        drawing.line((start, 46), (end, 46), FAINT)
        for edge in (start, end):
            drawing.line((edge, 40), (edge, 52), FAINT)
        drawing.text((start + end) / 2, 34, text)
    for number, (label, cells, paint) in enumerate(rows):
        y = 66 + number * 56
        drawing.text(22, y + h / 2 + 5, label, colour=FAINT, anchor="start")
        for place, cell in enumerate(cells.split()):
            ahead = place >= context and label == "target"
            drawing.box(left + place * step, y, w, h, cell, OUTPUT if ahead else paint)
    y = 66 + len(rows) * 56
    drawing.text(22, y + h / 2 + 5, "static, category", colour=FAINT, anchor="start")
    drawing.box(left, y, right - left, h, "shop 12, size 340", DECODER)
    drawing.line((cut, 26), (cut, 402), GRADIENT, "6 4")
    drawing.text(cut, 20, "cut-off", colour=GRADIENT, bold=True)
    notes = (
        (INPUT, "read up to the cut-off"),
        (STATE, "read over the horizon too"),
        (DECODER, "holds for the whole series"),
        (OUTPUT, "forecast"),
    )
    x = 26.0
    for paint, text in notes:
        drawing.box(x, 428, 22, 18, "", paint)
        drawing.text(x + 32, 442, text, anchor="start")
        x += 62 + 7.3 * len(text)
    return drawing


FIGURES = {
    "picture": picture,
    "one-to-many": one_to_many,
    "many-to-one": many_to_one,
    "many-to-many-in-step": in_step,
    "many-to-many-delayed": delayed,
    "truncated-backpropagation": truncated,
    "forecast-window": forecast_window,
}


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, draw in FIGURES.items():
        (folder / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")
