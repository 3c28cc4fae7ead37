"""Forecasting of time series by recurrent networks."""

from seqforge_tasks.forecasting.forecasting_options import (
    ForecastingOptions as ForecastingOptions,
)
from seqforge_tasks.forecasting.series.generated.lorenz_data import Lorenz as Lorenz
from seqforge_tasks.forecasting.series.generated.mackey_glass_data import (
    MackeyGlass as MackeyGlass,
)
from seqforge_tasks.forecasting.series.series_data import SeriesData as SeriesData
from seqforge_tasks.forecasting.series.time_series import TimeSeries as TimeSeries
from seqforge_tasks.forecasting.task import Forecasting as Forecasting

__all__ = [
    "Forecasting",
    "ForecastingOptions",
    "Lorenz",
    "MackeyGlass",
    "SeriesData",
    "TimeSeries",
]
