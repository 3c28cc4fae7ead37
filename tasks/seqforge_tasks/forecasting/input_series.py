"""Series to forecast: their dates, and whether all is there that a forecast needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.encoded_panel import EncodedPanel
from seqforge_tasks.forecasting.series.reading import Reading
from seqforge_tasks.forecasting.tables import time_texts

Times = pd.DatetimeIndex | range


class InputSeries:
    """Series that a user gives.

    Args:
        reading: As they were read.
        encoded: As the network reads them.
    """

    def __init__(self, reading: Reading, encoded: EncodedPanel) -> None:
        self.panel = reading.panel
        self.layout = reading.layout
        self._place = reading.place
        self.encoded = encoded
        self._times: dict[tuple[object, int, int], Times] = {}

    def times(self, series: int, first: int, count: int) -> Times:
        """Return dates of steps, in the zone of the input, or their numbers there.

        Args:
            series: Number of the series.
            first: The first step, counted from 0 at its beginning; also beyond its end.
            count: Steps.
        """
        starts = self.panel.starts if self.panel.starts is not None else self.panel.first_steps
        key = (None if starts is None else starts[series], first, count)
        if key not in self._times:  # most series of a panel share their dates
            self._times[key] = self._made_times(series, first, count)
        return self._times[key]

    def require_values(self, context: int) -> None:
        """Refuse series of which the network would see nothing.

        Args:
            context: Steps that it sees.

        Raises:
            UserError: Names the first such series.
        """
        panel = self.panel
        for number, history in enumerate(panel.history.tolist()):
            if np.isnan(panel.target(number)[-context:]).all():
                where = f" in its last {context} steps" if history > context else ""
                raise UserError(
                    f"series '{panel.names[number]}' has no measured value{where}",
                    where=self._place,
                    todo="give at least one, or leave the series out",
                )

    def require_future(self, lead: int, steps: int) -> None:
        """Refuse series whose covariates are not known as far as the network reads them.

        Args:
            lead: Steps from the end of a series to the first that is forecast.
            steps: Steps that are forecast.

        Raises:
            UserError: Names the first such series and the dates for which values are needed.
        """
        panel = self.panel
        for number, history in enumerate(panel.history.tolist() if panel.known_names else []):
            first = history + lead - 1
            start, end = panel.offsets[number : number + 2].tolist()
            given = panel.known[start + first : min(start + first + steps, end)]
            known = np.full((steps, len(panel.known_names)), np.nan)
            known[: len(given)] = given
            for column, name in enumerate(panel.known_names):
                if (absent := np.flatnonzero(np.isnan(known[:, column]))).size:
                    raise UserError(
                        f"series '{panel.names[number]}' needs '{name}' in advance for "
                        f"{self._named(number, first, absent)}",
                        where=self._place,
                        todo="add these steps as rows with that value, and leave the target empty",
                    )

    def _named(self, series: int, first: int, steps: NDArray[np.int64]) -> str:
        """Write steps behind one as their dates: the first and last of each run of them."""
        times = self.times(series, first, int(steps[-1]) + 1)
        texts = time_texts(times)
        runs = np.split(steps, np.flatnonzero(np.diff(steps) > 1) + 1)
        spans = [_span(texts, run) for run in runs[:2]]
        unit = (
            "" if isinstance(times, pd.DatetimeIndex) else "step " if steps.size == 1 else "steps "
        )
        more = " and others" if len(runs) > 2 else ""
        return f"{unit}{', '.join(spans)}{more}"

    def _made_times(self, series: int, first: int, count: int) -> Times:
        dates = self.encoded.dates(series, first, count)
        if not isinstance(dates, pd.DatetimeIndex):
            numbers, length = self.panel.first_steps, self.panel.step_length
            begin = (1 if numbers is None else int(numbers[series])) + first * length
            return range(begin, begin + count * length, length)
        if self.layout.timezone is not None:
            return dates.tz_localize("UTC").tz_convert(self.layout.timezone)
        return dates


def _span(texts: Sequence[str], steps: NDArray[np.int64]) -> str:
    first, last = texts[int(steps[0])], texts[int(steps[-1])]
    return first if steps.size == 1 else f"{first} to {last}"
