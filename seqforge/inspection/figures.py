"""The figures of gradients and gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from seqforge.encoders import LayerActivations
from seqforge.inspection.colours import REFERENCES, SERIES
from seqforge.inspection.gradients import GONE, GradientCurve
from seqforge.inspection.trace import gate_names

LEFT_SATURATED = 0.1
RIGHT_SATURATED = 0.9
SHOWN_STEPS = 200
"""Steps in the heat maps of gates."""

MARKERS = ("o", "^", "s", "D", "v", "P")


def gradients_figure(
    curves: Mapping[str, GradientCurve], references: Mapping[str, GradientCurve]
) -> Figure:
    """Draw the gradient's norm by lag on a logarithmic axis, with bands from quartile to quartile.

    Args:
        curves: Those of checkpoints, by label.
        references: Those of untrained networks, by name; dashed.
    """
    figure = Figure(figsize=(8.0, 4.8), layout="constrained")
    axes = figure.subplots()
    for (label, curve), colour in zip(curves.items(), _repeated(SERIES, len(curves)), strict=True):
        lags = np.arange(len(curve.median))
        axes.fill_between(lags, _seen(curve.lower), _seen(curve.upper), color=colour, alpha=0.18)
        axes.plot(lags, _seen(curve.median), color=colour, linewidth=2.2, label=plain(label))
    for (name, curve), style in zip(references.items(), ("--", "-.", ":"), strict=False):
        lags = np.arange(len(curve.median))
        axes.plot(
            lags,
            _seen(curve.median),
            color=REFERENCES[name],
            linestyle=style,
            linewidth=1.6,
            label=f"untrained {name}",
        )
    axes.axhline(GONE, color="black", linewidth=0.8)
    axes.annotate("1 %", (0, GONE), xytext=(2, 2), textcoords="offset points", fontsize=8)
    axes.set_yscale("log")
    axes.set_xlabel("lag k (steps back from the error)")
    axes.set_ylabel(r"$\|\partial E_t / \partial s_{t-k}\|$, relative to lag 0")
    axes.set_title(plain("\n".join(gradient_findings(curves))), fontsize=11)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=9)
    return figure


def gradient_findings(curves: Mapping[str, GradientCurve]) -> list[str]:
    """Say for each curve where the gradient is gone."""
    found = []
    for label, curve in curves.items():
        if curve.reach is None:
            last, left = len(curve.median) - 1, curve.median[-1]
            found.append(f"{label}: {left:.2g} of the gradient is left after {last} steps")
        else:
            found.append(f"{label}: the gradient has fallen to 1 % after {steps(curve.reach)}")
    return found


def gates_figure(layers: Sequence[LayerActivations]) -> Figure:
    """Draw every gate of every layer as a map of units by time, units sorted by their mean.

    Args:
        layers: Activations `(T, H)`, of which the first `SHOWN_STEPS` steps are shown.
    """
    gated = [(number, layer) for number, layer in enumerate(layers, 1) if layer.gates]
    names = gate_names(list(layers))
    figure = Figure(figsize=(3.6 * len(names) + 1.0, 2.4 * len(gated) + 0.9), layout="constrained")
    grid = figure.subplots(len(gated), len(names), squeeze=False, sharex=True)
    image = None
    for row, (number, layer) in zip(grid, gated, strict=True):
        for axes, name in zip(row, names, strict=True):
            values = as_array(layer.gates[name])
            order = np.argsort(values.mean(axis=0))
            image = axes.imshow(
                values[:SHOWN_STEPS, order].T,
                aspect="auto",
                vmin=0,
                vmax=1,
                cmap="cividis",
                interpolation="nearest",
            )
            share = 100 * (values > RIGHT_SATURATED).mean()
            axes.set_title(f"layer {number}, {name} gate: {share:.0f} % open", fontsize=9)
            axes.set_ylabel("unit (sorted by mean)", fontsize=8)
            axes.tick_params(labelsize=7)
    for axes in grid[-1]:
        axes.set_xlabel("position in the text (symbols)", fontsize=8)
    if image is not None:
        figure.colorbar(image, ax=grid, label="activation (0 closed, 1 open)", shrink=0.8)
    figure.suptitle(f"Gates over the text; {_most_open(layers)}", fontsize=11)
    return figure


def saturation_figure(layers: Sequence[LayerActivations]) -> Figure:
    """Draw how often each unit's gate is shut or wide open (Karpathy et al. 2015, figure 2).

    Args:
        layers: Activations `(T, H)`.
    """
    names = gate_names(list(layers))
    width = max(3.3 * len(names), 6.6)
    figure = Figure(figsize=(width, 4.2), layout="constrained")
    grid = figure.subplots(1, len(names), squeeze=False, sharex=True, sharey=True)[0]
    for axes, name in zip(grid, names, strict=True):
        for number, layer in enumerate(layers, 1):
            if name in layer.gates:
                shut, wide = saturation(layer.gates[name])
                _scatter(axes, shut, wide, number)
        axes.plot([0, 1], [1, 0], color="black", linewidth=0.8, linestyle="--")
        axes.set_title(f"{name} gate", fontsize=10)
        axes.set_xlabel("left-saturated: below 0.1\n(share of steps)", fontsize=9)
        axes.set_aspect("equal")
    grid[0].set_ylabel("right-saturated: above 0.9\n(share of steps)", fontsize=9)
    grid[-1].legend(fontsize=8, loc="upper right")
    figure.suptitle(f"Every point is a unit; {_most_open(layers)}", fontsize=11)
    return figure


def saturation(gate: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the share of steps at which each unit's gate is below 0.1, and above 0.9.

    Args:
        gate: `(T, H)`.

    Returns:
        Both `(H,)`, in [0, 1].
    """
    values = as_array(gate)
    shut: NDArray[np.float64] = (values < LEFT_SATURATED).mean(axis=0)
    wide: NDArray[np.float64] = (values > RIGHT_SATURATED).mean(axis=0)
    return shut, wide


def as_array(values: Tensor) -> NDArray[np.float64]:
    """Give a tensor as float64 on the processor."""
    array: NDArray[np.float64] = values.detach().double().cpu().numpy()
    return array


def plain(text: str) -> str:
    """Keep matplotlib from taking a dollar sign for mathematics."""
    return text.replace("$", r"\$")


def steps(count: int) -> str:
    """Write a number of steps."""
    return "1 step" if count == 1 else f"{count} steps"


def _most_open(layers: Sequence[LayerActivations]) -> str:
    """Say which gate is wide open most often, as it lets the most through."""
    shares = {
        f"the {name} gate of layer {number}": float((as_array(gate) > RIGHT_SATURATED).mean())
        for number, layer in enumerate(layers, 1)
        for name, gate in layer.gates.items()
    }
    best = max(shares, key=lambda name: shares[name])
    return f"{best} is open (above 0.9) most often: {100 * shares[best]:.0f} % of the time"


def _scatter(axes: Axes, shut: NDArray[np.float64], wide: NDArray[np.float64], number: int) -> None:
    axes.scatter(
        shut,
        wide,
        s=18,
        alpha=0.6,
        color=SERIES[(number - 1) % len(SERIES)],
        marker=MARKERS[(number - 1) % len(MARKERS)],
        linewidths=0,
        label=f"layer {number}",
    )


def _seen(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave out what a logarithmic axis cannot show."""
    return np.where(values > 0, values, np.nan)


def _repeated(colours: Sequence[str], count: int) -> list[str]:
    return [colours[number % len(colours)] for number in range(count)]
