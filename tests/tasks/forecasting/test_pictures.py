"""Pictures show what was known, forecast and measured, and nothing else."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection, LineCollection
from matplotlib.figure import Figure

from seqforge_tasks.forecasting.pictures import (
    FORECAST,
    KNOWN,
    MOST,
    Band,
    Picture,
    context_shown,
    forecast_figure,
    level_name,
)


def picture(
    name: str = "sales",
    steps: int = 60,
    horizon: int = 4,
    levels: tuple[float, ...] = (80.0, 95.0),
    truth: bool = True,
    lead: int = 1,
) -> Picture:
    times = np.arange(steps + horizon, dtype=np.float64)
    forecast = np.full(horizon, 5.0)
    return Picture(
        name,
        times[:steps],
        np.sin(times[:steps]),
        times[steps:],
        forecast,
        np.arange(horizon, dtype=np.float64) if truth else None,
        [Band(level, forecast - level, forecast + level) for level in levels],
        "step",
        lead,
    )


def lines(axes: Axes, colour: str) -> list[np.ndarray]:
    return [
        np.asarray(line.get_xydata()) for line in axes.get_lines() if line.get_color() == colour
    ]


def drawn(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=30)
    return buffer.getvalue()


def words(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_what_is_drawn_is_what_was_given() -> None:
    given = picture()
    figure = forecast_figure([given])
    (axes,) = figure.axes

    known, measured = lines(axes, KNOWN)
    np.testing.assert_array_equal(known[:, 1], given.past[-48:])
    np.testing.assert_array_equal(known[:, 0], given.past_times[-48:])
    # What came is joined to what was known: it is one series.
    np.testing.assert_array_equal(measured[:, 0], [59, 60, 61, 62, 63])
    np.testing.assert_array_equal(measured[:, 1], [given.past[-1], 0, 1, 2, 3])
    (forecast,) = lines(axes, FORECAST)
    np.testing.assert_array_equal(forecast, np.column_stack([given.times, given.forecast]))
    cut = [line for line in axes.get_lines() if line.get_color() not in (KNOWN, FORECAST)]
    assert [set(np.asarray(line.get_xdata())) for line in cut] == [{59.0}]
    assert axes.get_title(loc="left") == "sales"
    assert words(figure) == ["measured", "forecast", "80 % interval", "95 % interval", "cut-off"]


def test_the_wider_interval_lies_behind_the_narrower() -> None:
    (axes,) = forecast_figure([picture()]).axes
    areas = [each for each in axes.collections if isinstance(each, FillBetweenPolyCollection)]

    tops = [float(np.asarray(area.get_paths()[0].vertices)[:, 1].max()) for area in areas]
    assert tops == [100.0, 85.0]


def test_the_truth_is_not_joined_over_steps_that_are_skipped() -> None:
    (axes,) = forecast_figure([picture(lead=3)]).axes
    assert [len(line) for line in lines(axes, KNOWN)] == [48, 4]


def test_without_truth_it_is_called_known() -> None:
    figure = forecast_figure([picture(truth=False, levels=())])
    assert words(figure) == ["known", "forecast", "cut-off"]
    assert len(lines(figure.axes[0], KNOWN)) == 1


def test_a_value_between_gaps_is_a_point() -> None:
    given = picture()
    given.past[-3:] = [np.nan, 7.0, np.nan]
    (axes,) = forecast_figure([given]).axes
    points = [line for line in axes.get_lines() if line.get_marker() == "."]
    (alone,) = [np.asarray(line.get_xydata()).tolist() for line in points]
    assert alone == [[58.0, 7.0]]


def test_an_interval_of_one_step_can_be_seen() -> None:
    figure = forecast_figure([picture(horizon=1)])
    bars = [each for each in figure.axes[0].collections if isinstance(each, LineCollection)]
    assert len(bars) == 2
    assert drawn(figure).startswith(b"\x89PNG")


def test_forecasts_from_every_step_have_no_cut_off() -> None:
    nothing = np.zeros(0)
    times = np.arange(5.0)
    figure = forecast_figure([Picture("x", nothing, nothing, times, times, times + 1)])
    assert words(figure) == ["measured", "forecast"]
    assert drawn(figure).startswith(b"\x89PNG")


def test_dates_are_shown_as_dates() -> None:
    dates = pd.date_range("2024-01-30", periods=64, freq="D").to_numpy()
    given = picture()
    dated = Picture("x", dates[:60], given.past, dates[60:], given.forecast)
    figure = forecast_figure([dated])
    drawn(figure)
    labels = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert {"Feb", "Mar"} & set(labels)


@pytest.mark.parametrize(("count", "panels"), [(1, 1), (3, 3), (4, 4), (5, 6), (MOST, 6)])
def test_each_series_has_a_panel(count: int, panels: int) -> None:
    figure = forecast_figure([picture(f"series {number}") for number in range(count)])
    assert len(figure.axes) == panels
    assert sum(axes.get_visible() for axes in figure.axes) == count


def test_series_left_out_are_named() -> None:
    names = [f"shop {number}" for number in range(7)]
    figure = forecast_figure([picture()], names)
    note = figure.get_supxlabel()
    assert note == "not drawn: shop 0, shop 1, shop 2, shop 3 and 3 more"
    assert forecast_figure([picture()]).get_supxlabel() == ""


@pytest.mark.parametrize("name", ["$x_$", "a\x00b\nc", "日本", "n" * 300, ""])
def test_any_name_can_be_drawn(name: str) -> None:
    figure = forecast_figure([picture(name)], [name])
    assert drawn(figure).startswith(b"\x89PNG") if name.isascii() else True
    assert len(figure.axes[0].get_title(loc="left")) <= 64


def test_many_levels_have_their_shades() -> None:
    figure = forecast_figure([picture(levels=(50.0, 60.0, 80.0, 90.0, 97.5))])
    assert words(figure)[-2] == "97.5 % interval"
    assert drawn(figure)


def test_numbers_of_steps_and_levels() -> None:
    assert context_shown(4) == 48
    assert context_shown(96) == 288
    assert [level_name(level) for level in (80.0, 97.5)] == ["80", "97.5"]
