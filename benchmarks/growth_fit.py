"""How costs grow with sizes: exponents, lines, how far from them points lie, and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Growth:
    """What costs tell of how they grow.

    Attributes:
        exponent: Slope of the costs' logarithms over the larger half of the sizes.
        fixed: `a` of the line `a + b n` with the smallest relative errors, not below 0.
        each: `b`.
        off_line: The largest distance of a point from the line, as a share of the line.
        off_proportion: The largest distance of a point of the larger half from `c n`, as a share.
    """

    exponent: float
    fixed: float
    each: float
    off_line: float
    off_proportion: float


def growth(sizes: Sequence[float], costs: Sequence[float]) -> Growth:
    """Fit the growth of costs.

    Args:
        sizes: Rising, at least two.
        costs: Above 0.

    Raises:
        ValueError: There are fewer than two sizes, or a cost is not above 0.
    """
    n, cost = np.asarray(sizes, dtype=float), np.asarray(costs, dtype=float)
    if len(n) < 2 or not (cost > 0).all():
        raise ValueError(f"no growth can be seen in {list(costs)}")
    large = slice(min(len(n) // 2, len(n) - 2), None)
    exponent = np.polyfit(np.log(n[large]), np.log(cost[large]), 1)[0]
    fixed, each = _line(n, cost)
    line = fixed + each * n
    rates = cost[large] / n[large]
    middle = (rates.max() + rates.min()) / 2  # no other `c` is nearer to all of them
    return Growth(
        float(exponent),
        fixed,
        each,
        float(np.abs(cost / line - 1).max()),
        float(np.abs(rates / middle - 1).max()),
    )


def _line(n: np.ndarray, cost: np.ndarray) -> tuple[float, float]:
    """Least squares of relative errors: small sizes count as much as large ones."""
    columns = np.stack([1 / cost, n / cost], axis=1)
    fixed, each = np.linalg.lstsq(columns, np.ones(len(n)), rcond=None)[0]
    if fixed < 0:
        fixed, each = 0.0, (n / cost).sum() / ((n / cost) ** 2).sum()
    return float(fixed), float(each)


@dataclass(frozen=True)
class Panel:
    """One picture: costs of several ways against the same size.

    Attributes:
        title: Above it.
        axes: What is counted, to the right and upwards.
        lines: Costs, a name each: sizes and costs.
        dashed: Lines of `a + b n` are drawn for these names.
    """

    title: str
    axes: tuple[str, str]
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    dashed: Sequence[str] = ()


def draw(panels: Sequence[Panel], target: Path) -> None:
    """Draw panels side by side with logarithmic axes; dashed lines are `a + b n`.

    Args:
        panels: At least one.
        target: An SVG or PNG file.
    """
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": "growth"}):
        figure = Figure(figsize=(4.6 * len(panels), 3.4), layout="constrained")
        places = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, panel in zip(places, panels, strict=True):
            for number, (name, (sizes, costs)) in enumerate(panel.lines.items()):
                (drawn,) = axes.plot(sizes, costs, "osD^v"[number % 5], markersize=4, label=name)
                if name in panel.dashed:
                    found = growth(sizes, costs)
                    line = found.fixed + found.each * np.asarray(sizes, dtype=float)
                    axes.plot(sizes, line, "--", linewidth=1, color=drawn.get_color())
                else:
                    axes.plot(sizes, costs, "-", linewidth=0.6, color=drawn.get_color())
            axes.set(title=panel.title, xlabel=panel.axes[0], ylabel=panel.axes[1])
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.grid(visible=True, which="major", linewidth=0.3)
            axes.legend(frameon=False, fontsize=8)
        figure.savefig(target, dpi=90)
