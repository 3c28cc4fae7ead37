"""Series that are in memory already, as the data of forecasting."""

from __future__ import annotations

from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.reading import Reading
from seqforge_tasks.forecasting.series.series_data import SeriesData, Source


class SeriesInMemory(SeriesData):
    """Series from a frame or from arrays, see `TimeSeries.from_frame` and `from_arrays`.

    Args:
        reading: The series.
        options: How they are split, scaled and cut.
        batch_size: Windows in a batch, over all processes together.
        num_workers: Processes that load data, for each training process.
        seed: What the order of windows is drawn from; None: the run's seed.
        layout: What was said of the columns; kept for series to be forecast later.

    Raises:
        UserError: `batch_size` is below 1.
    """

    def __init__(
        self,
        reading: Reading,
        options: SeriesOptions,
        batch_size: int = 64,
        num_workers: int = 0,
        seed: int | None = None,
        layout: Layout | None = None,
    ) -> None:
        super().__init__(options, batch_size, num_workers, seed, layout)
        self._reading = reading

    def read(self) -> Source:
        """Return the series."""
        return Source(self._reading)
