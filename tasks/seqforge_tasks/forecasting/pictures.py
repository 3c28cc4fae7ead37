"""Pictures of forecasts: what was known, what was forecast, what came, and how sure it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.dates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

MOST = 6
"""Series that a picture can show; the rest is named below it."""

KNOWN, FORECAST, CUT = "#333333", "#0072B2", "#8A8A8A"
SHADES = ("#9CC8E3", "#CFE4F1", "#E9F3F9")
"""Of the intervals, the narrowest first."""

NAMED = 4
"""Series that are left out and named."""

NAME = 64
"""Characters of a name that are shown."""

Times = NDArray[np.datetime64] | NDArray[np.float64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """An interval around a forecast.

    Attributes:
        level: How often it should hold the truth, in percent.
        low: Its lower end (H,), in units of the data.
        high: Its upper end (H,).
    """

    level: float
    low: Values
    high: Values


@dataclass(frozen=True)
class Picture:
    """One series, around the cut-off; values in units of the data, NaN where there is none.

    Attributes:
        name: The title.
        past_times: Dates or step numbers of the context (L,); none if there is no one cut-off.
        past: What was known (L,).
        times: Dates or step numbers of the horizon (H,).
        forecast: What was forecast (H,).
        truth: What came (H,); None: not known yet.
        bands: Intervals.
        axis: What the numbers of steps count; "" for dates.
        lead: Steps from the cut-off to the first of the horizon.
    """

    name: str
    past_times: Times
    past: Values
    times: Times
    forecast: Values
    truth: Values | None = None
    bands: Sequence[Band] = ()
    axis: str = ""
    lead: int = 1


def context_shown(horizon: int) -> int:
    """Return how many steps before the cut-off are drawn, for a horizon's."""
    return max(3 * horizon, 48)


def forecast_figure(pictures: Sequence[Picture], left_out: Sequence[str] = ()) -> MatplotlibFigure:
    """Draw forecasts behind their contexts, each series in a panel of its own.

    The vertical line is the cut-off: nothing to the right of it was known to the network, but for
    covariates known in advance. Of a long context, the end is shown.

    Args:
        pictures: At least one, at most `MOST`.
        left_out: Names of series that are not drawn; the picture says so.
    """
    columns = 1 if len(pictures) <= 3 else 2
    rows = -(-len(pictures) // columns)
    figure = MatplotlibFigure(figsize=(8.4 if columns == 1 else 13.0, 0.9 + 2.7 * rows))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, picture in zip(grid, pictures, strict=False):
        _draw(axes, picture)
    for axes in grid[len(pictures) :]:
        axes.set_visible(False)
    keys = _keys(pictures)
    figure.legend(handles=keys, loc="outside upper center", ncols=len(keys), frameon=False)
    if left_out:
        figure.supxlabel(_left_out(left_out), fontsize=9, color=KNOWN, parse_math=False)
    return figure


def _draw(axes: Axes, picture: Picture) -> None:
    past, past_times = _end_of_context(picture)
    for band, shade in reversed(list(zip(_sorted(picture.bands), _shades(picture), strict=True))):
        if len(picture.times) > 1:
            axes.fill_between(picture.times, band.low, band.high, color=shade, linewidth=0)
        else:  # an area of a single step would be nothing
            axes.vlines(picture.times, band.low, band.high, color=shade, linewidth=5)
    if past.size:
        _line(axes, past_times, past, KNOWN, 1.3)
    if picture.truth is not None:
        # From the last known value on, since it is one and the same series.
        last = slice(-1, None) if picture.lead == 1 else slice(0)
        times = np.concatenate([past_times[last], picture.times])
        _line(axes, times, np.concatenate([past[last], picture.truth]), KNOWN, 1.3)
    _line(axes, picture.times, picture.forecast, FORECAST, 1.9)
    if past_times.size:
        axes.axvline(past_times[-1], color=CUT, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.set_title(_shortened(picture.name), fontsize=11, loc="left", parse_math=False)
    axes.margins(x=0.01)
    axes.grid(axis="y", alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    if np.issubdtype(picture.times.dtype, np.datetime64):
        dates: Any = matplotlib.dates  # which has no types
        locator = dates.AutoDateLocator(minticks=4, maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    elif picture.axis:
        axes.set_xlabel(picture.axis, fontsize=9)


def _line(axes: Axes, times: Times, values: Values, colour: str, width: float) -> None:
    """Draw a line with gaps, and points where a value stands alone between gaps."""
    axes.plot(times, values, color=colour, linewidth=width, zorder=3, solid_capstyle="round")
    missing = np.concatenate([[True], np.isnan(values), [True]])
    alone = ~missing[1:-1] & missing[:-2] & missing[2:]
    if alone.any():
        axes.plot(times[alone], values[alone], ".", color=colour, markersize=5, zorder=3)


def _end_of_context(picture: Picture) -> tuple[Values, Times]:
    steps = context_shown(len(picture.times))
    return picture.past[-steps:], picture.past_times[-steps:]


def _keys(pictures: Sequence[Picture]) -> list[Line2D | Patch]:
    truth = any(picture.truth is not None for picture in pictures)
    keys: list[Line2D | Patch] = [
        Line2D([], [], color=KNOWN, linewidth=1.3, label="measured" if truth else "known"),
        Line2D([], [], color=FORECAST, linewidth=1.9, label="forecast"),
    ]
    widest = max(pictures, key=lambda picture: len(picture.bands))
    for band, shade in zip(_sorted(widest.bands), _shades(widest), strict=True):
        keys.append(Patch(color=shade, label=f"{level_name(band.level)} % interval"))
    if any(picture.past_times.size for picture in pictures):
        dashes = (0, (4, 3))
        keys.append(Line2D([], [], color=CUT, linewidth=1.0, linestyle=dashes, label="cut-off"))
    return keys


def level_name(level: float) -> str:
    """Return a level in percent as it is written: 80, 97.5."""
    return f"{level:g}"


def _sorted(bands: Sequence[Band]) -> list[Band]:
    return sorted(bands, key=lambda band: band.level)


def _shades(picture: Picture) -> list[str]:
    """Return a colour for each interval, from the narrowest on."""
    count = len(picture.bands)
    places = np.linspace(0, len(SHADES) - 1, count) if count > len(SHADES) else np.arange(count)
    return [SHADES[int(place)] for place in places]


def _left_out(names: Sequence[str]) -> str:
    shown = ", ".join(map(_shortened, names[:NAMED]))
    rest = len(names) - NAMED
    return f"not drawn: {shown}" + (f" and {rest} more" if rest > 0 else "")


def _shortened(name: str) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in name)
    return printable if len(printable) <= NAME else printable[: NAME - 1] + "…"
