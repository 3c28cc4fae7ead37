"""The pictures of a report, with the words that go with them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seqforge.inspection.features import FEATURES
from seqforge.inspection.figures import (
    gates_figure,
    gradient_findings,
    gradients_figure,
    saturation_figure,
)
from seqforge.inspection.gradients import GradientCurve
from seqforge.inspection.page import Picture
from seqforge.inspection.ranking import Ranking, Unit
from seqforge.inspection.text_figure import Panel, excerpt, text_figure
from seqforge.inspection.trace import Trace, gate_names
from seqforge.task import Reading

DOTS_PER_INCH = 130


def draw_pictures(
    reading: Reading,
    seen: Trace,
    ranking: Ranking,
    activations: Mapping[Unit, NDArray[np.float64]],
    curves: Mapping[str, GradientCurve],
    references: Mapping[str, GradientCurve],
) -> dict[str, Picture]:
    """Draw all figures of a report.

    Args:
        reading: The text, as the first checkpoint reads it.
        seen: Its trace.
        ranking: Its units.
        activations: `(T,)` of each unit that may be drawn, in [-1, 1].
        curves: The gradients of all checkpoints, by label.
        references: Those of untrained networks, by name.

    Returns:
        By name: "units" and "gradients"; "gates" and "saturation" if there are gates.
    """
    pictures = {
        "units": Picture(
            _png(text_figure(_panels(reading, ranking, activations))),
            "Excerpts of the text, coloured by the units that follow each feature most sharply.",
            "Excerpts of the second half of the text. A symbol's ground is the unit's activation "
            "after reading it.",
        ),
        "gradients": Picture(
            _png(gradients_figure(curves, references)),
            ". ".join(gradient_findings(curves)) + ".",
            "Median over many steps t, with quartiles as a band; s is the whole recurrent state. "
            + ("Dashed: untrained networks of the same sizes." if references else ""),
        ),
    }
    if gate_names(seen.layers):
        pictures["gates"] = Picture(
            _png(gates_figure(seen.layers)),
            "Maps of every gate of every unit over the first steps of the text.",
            "A forget gate at 1 keeps the cell; an update gate at 1 keeps the state.",
        )
        pictures["saturation"] = Picture(
            _png(saturation_figure(seen.layers)),
            "For every unit, how often each of its gates is below 0.1 and above 0.9.",
            "After Karpathy, Johnson and Fei-Fei 2015: a unit at the top of the forget gates is an "
            "integrator that remembers for long; one at the far right forgets at every step.",
        )
    return pictures


def _panels(
    reading: Reading, ranking: Ranking, activations: Mapping[Unit, NDArray[np.float64]]
) -> list[Panel]:
    panels = []
    for feature in (each for each in FEATURES if each.name in ranking.features):
        row = ranking.best(feature.name, 1).iloc[0]
        unit = Unit(int(row["layer"]), int(row["unit"]))
        part = excerpt(feature.values(reading.symbols))
        panels.append(
            Panel(
                _panel_title(feature.name, unit, row),
                reading.symbols[part],
                activations[unit][part],
            )
        )
    if not panels:
        unit, values = next(iter(activations.items()))
        part = excerpt(values)
        panels.append(Panel(f"unit {unit}", reading.symbols[part], values[part]))
    return panels


def _panel_title(feature: str, unit: Unit, row: pd.Series[Any]) -> str:
    way = "rises with" if row["first_half"] > 0 else "falls with"
    sharpness = f"{row['statistic']} = {row['second_half']:+.2f}"
    return f"unit {unit} {way} '{feature}' (second half: {sharpness})"


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    return buffer.getvalue()
