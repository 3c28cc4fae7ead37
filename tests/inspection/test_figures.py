import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from seqforge.encoders import GRU, LSTM, LayerActivations
from seqforge.inspection.figures import (
    gates_figure,
    gradient_findings,
    gradients_figure,
    saturation,
    saturation_figure,
)
from seqforge.inspection.gradients import GradientCurve
from seqforge.inspection.text_figure import COLUMNS, EXCERPT, LINES, Panel, excerpt, text_figure
from seqforge.inspection.trace import trace
from tests.inspection.readings import TEXT, read


def curve(*median: float) -> GradientCurve:
    values = np.array(median)
    return GradientCurve(values, values / 2, values * 2)


def drawn(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=50)
    return buffer.getvalue()


def test_gradients_are_on_a_logarithmic_axis_and_the_title_says_what_is_seen() -> None:
    curves = {"a $1$ b": curve(1, 0.1, 0.005, 0), "kept": curve(1, 0.5, 0.4, 0.3)}
    figure = gradients_figure(curves, {"RNN": curve(1, 0.1, 0.01, 0.001)})
    (axes,) = figure.axes

    assert axes.get_yscale() == "log"
    assert "steps" in axes.get_xlabel()
    assert axes.get_ylabel()
    assert gradient_findings(curves) == [
        "a $1$ b: the gradient has fallen to 1 % after 2 steps",
        "kept: 0.3 of the gradient is left after 3 steps",
    ]
    assert "has fallen to 1 % after 2 steps" in axes.get_title()
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()][1:] == ["kept", "untrained RNN"]
    assert drawn(figure).startswith(b"\x89PNG")


def test_saturation_counts_steps() -> None:
    gate = torch.tensor([[0.05, 0.95], [0.5, 0.99], [0.02, 0.5], [0.09, 0.91]])

    shut, wide = saturation(gate)

    assert list(shut) == [0.75, 0]
    assert list(wide) == [0, 0.75]


@pytest.mark.parametrize(("kind", "gates"), [(LSTM, 3), (GRU, 2)])
def test_gates_of_all_layers_are_drawn(kind: type[LSTM | GRU], gates: int) -> None:
    layers = trace(read(kind(3, 4, num_layers=2), TEXT[:60])).layers

    maps, points = gates_figure(layers), saturation_figure(layers)

    pictures = [axes for axes in maps.axes if axes.images]
    assert len(pictures) == 2 * gates
    assert all("gate" in axes.get_title() and axes.get_ylabel() for axes in pictures)
    assert len(points.axes) == gates
    assert all("share of steps" in axes.get_xlabel() for axes in points.axes)
    for figure in (maps, points):
        assert drawn(figure).startswith(b"\x89PNG")


def test_the_title_names_the_gate_that_is_open_most_often() -> None:
    shut, wide = torch.zeros(10, 2), torch.ones(10, 2)
    layers = [
        LayerActivations(shut, {"input": shut, "forget": shut}),
        LayerActivations(shut, {"input": shut, "forget": wide}),
    ]

    title = saturation_figure(layers).get_suptitle()

    assert "the forget gate of layer 2 is open (above 0.9) most often: 100 %" in title


def test_a_layer_without_gates_is_passed_over() -> None:
    gate = torch.rand(10, 2)
    layers = [LayerActivations(gate, {}), LayerActivations(gate, {"forget": gate})]

    assert len([axes for axes in gates_figure(layers).axes if axes.images]) == 1
    assert len(saturation_figure(layers).axes[0].collections) == 1


def test_every_symbol_of_an_excerpt_stands_on_its_colour() -> None:
    symbols = ["a", "$", "\n", "", "é", "\U0001f600", "\x07", "\u4e2d", "\ud800"]
    panel = Panel("unit 1:1 rises with $x$", symbols, np.linspace(-1, 1, len(symbols)))

    figure = text_figure([panel, panel])

    (first, _) = figure.axes
    assert len(first.patches) == 8  # "" shows nothing
    assert [text.get_text() for text in first.texts] == ["a", "$", "↵", "é", "□", "□", "□", "□"]
    assert drawn(figure).startswith(b"\x89PNG")


def test_long_lines_are_broken_and_long_texts_cut() -> None:
    figure = text_figure([Panel("long", ["x"] * 2000, np.zeros(2000))])

    assert len(figure.axes[0].patches) == COLUMNS * LINES


def test_the_excerpt_is_where_a_feature_changes_in_the_second_half() -> None:
    values = np.zeros(4000)
    values[:500:2] = 1  # more changes, but in the half that chose the units
    values[3000:3400:4] = 1

    part = excerpt(values)

    assert part.stop - part.start == EXCERPT
    assert part.start >= 2000
    assert values[part].std() > 0.3
    assert excerpt(np.zeros(len(TEXT))).start == len(TEXT) // 2
