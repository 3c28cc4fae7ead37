"""What `infer` writes: a table for each input, and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.backend_bases import FigureCanvasBase

from seqforge.errors import UserError, closest_match
from seqforge.task import Output, Source
from seqforge_tasks.forecasting.forecaster import Forecaster
from seqforge_tasks.forecasting.forecasting_options import ForecastingOptions
from seqforge_tasks.forecasting.inputs import readings
from seqforge_tasks.forecasting.pictures import MOST, Band, Picture, Times, forecast_figure
from seqforge_tasks.forecasting.tables import STEP, SeriesForecast, as_frame, as_table

if TYPE_CHECKING:
    from seqforge_tasks.forecasting.task import Forecasting


def answer(
    task: Forecasting, inputs: Iterable[Source], options: ForecastingOptions
) -> Iterator[Output]:
    """Yield a table of forecasts for each input, in the form of the input.

    Args:
        task: A built task.
        inputs: Files, and numbers typed inline.
        options: What is forecast, and how.

    Raises:
        UserError: The network has no such horizon or intervals, an input cannot be read or
            forecast, or the picture cannot be written.
    """
    forecaster = Forecaster(task, options)
    if options.plot:
        _require_picture(options.plot)
    for place, reading in enumerate(readings(inputs, task.spec, options), start=1):
        forecasts = list(forecaster.forecast(reading))
        if options.plot:
            _draw(forecasts, _numbered(Path(options.plot), place))
        yield as_table(as_frame(forecasts, reading.layout), reading.layout.name)


def _require_picture(name: str) -> None:
    kinds = FigureCanvasBase.get_supported_filetypes()
    kind = Path(name).suffix.lower().removeprefix(".")
    if kind not in kinds:
        raise UserError(
            f"a picture '{name}'" + ("" if kind else ", without an ending"),
            where="--plot",
            accepted=[f".{each}" for each in kinds],
            closest=closest_match(kind, kinds),
            todo="give a file such as forecast.png",
        )


def pictures_of(forecast: SeriesForecast) -> list[Picture]:
    """Return what is drawn of a series: a picture for each channel.

    Args:
        forecast: Of the series.
    """
    several = len(forecast.channels) > 1
    return [
        Picture(
            f"{forecast.name}: {name}" if several else forecast.name,
            _drawable(forecast.past_times),
            forecast.past[:, channel],
            _drawable(forecast.times),
            forecast.point[:, channel],
            bands=[
                Band(level, forecast.low[:, channel, place], forecast.high[:, channel, place])
                for place, level in enumerate(forecast.levels)
            ],
            axis="" if isinstance(forecast.times, pd.DatetimeIndex) else STEP,
        )
        for channel, name in enumerate(forecast.channels)
    ]


def _drawable(times: pd.DatetimeIndex | range) -> Times:
    # Of dates with a zone, the clock's: matplotlib would draw those of UTC.
    if isinstance(times, pd.DatetimeIndex):
        return times.tz_localize(None).to_numpy()
    return np.array(times, dtype=np.float64)


def _draw(forecasts: Sequence[SeriesForecast], path: Path) -> None:
    pictures: list[Picture] = []
    left_out: list[str] = []
    for forecast in forecasts:
        if len(pictures) < MOST:
            pictures += pictures_of(forecast)
        else:
            left_out.append(forecast.name)
    left_out = [picture.name for picture in pictures[MOST:]] + left_out
    try:
        forecast_figure(pictures[:MOST], left_out).savefig(path, dpi=150)
    except OSError as error:
        raise UserError(
            f"cannot write '{path}': {error.strerror}",
            where="--plot",
            todo="give a file in a folder that exists and can be written",
        ) from error


def _numbered(path: Path, place: int) -> Path:
    return path if place == 1 else path.with_name(f"{path.stem}-{place}{path.suffix}")
