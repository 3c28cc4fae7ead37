"""`EncodedPanel`: series in the scale of the network, from which windows are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.series.calendar import Calendar
from seqforge_tasks.forecasting.series.naive import seasonal_naive_values
from seqforge_tasks.forecasting.series.scaling import Scales
from seqforge_tasks.forecasting.series.storing import blocks

Floats32 = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class EncodedPanel:
    """Series as `Encoding.encode` makes them: what windows of any size and place are cut from.

    Attributes:
        context: Steps of a context, `L`.
        horizon: Steps of a horizon, `H`.
        lead: Steps from the end of the context to the first of the horizon.
        season: Steps of a season.
        values: The target (R, K), scaled, 0 where it is missing.
        observed: Where it is not (R, K); None: nowhere.
        past: Covariates known up to the present (R, P), scaled, 0 where missing.
        known: Covariates known in advance (R, C'), the same.
        calendar: Features of the dates; None: there are none.
        static: Numbers that describe each series (N, S), scaled.
        categories: Codes of each series' categories (N, G), 0: unknown.
        scales: Scales of the target (N, K).
        naive_error: Scaled error of the seasonal naive forecast on the training part (N, K).
        offsets: First row of each series, and the end (N + 1,).
        history: Rows of each series with a target (N,).
        names: Name of each series (N,).
        starts: Date of each series' first row (N,); None: steps have no dates.
        frequency: The step, as a pandas offset alias; None without dates.
    """

    context: int
    horizon: int
    lead: int
    season: int
    values: Floats32
    observed: NDArray[np.bool_] | None
    past: Floats32
    known: Floats32
    calendar: Calendar | None
    static: Floats32
    categories: Integers
    scales: Scales
    naive_error: Floats32
    offsets: Integers
    history: Integers
    names: Sequence[str]
    starts: NDArray[np.datetime64] | None
    frequency: str | None

    def __len__(self) -> int:
        return len(self.names)

    def batch(
        self,
        numbers: ArrayLike,
        series: ArrayLike,
        cuts: ArrayLike,
        references: bool = False,
        lengths: ArrayLike | None = None,
    ) -> ForecastBatch:
        """Return windows, all made at once.

        Nothing at or behind the cut-off goes into the context, and of what lies behind it only what
        is known in advance goes anywhere but into the target.

        Args:
            numbers: What the windows are called (B,), see `Batch.ids`.
            series: The series of each (B,).
            cuts: Steps of the series before the cut-off (B,), at least 1.
            references: Whether the seasonal naive forecast goes with each.
            lengths: Steps of each context (B,), at most `cuts`; None: `context`, or as many as the
                series has. The longest is the width of the batch, which is `context` for None.
        """
        series, cuts = np.asarray(series, dtype=np.int64), np.asarray(cuts, dtype=np.int64)
        steps = np.minimum(cuts, self.context) if lengths is None else np.asarray(lengths, np.int64)
        width = self.context if lengths is None else int(steps.max())
        present = self.offsets[series] + cuts  # the row of each cut-off
        context, observed, past, known = self._before(series, present, cuts, steps, width)
        gap, target, target_observed = self._behind(series, present, cuts)
        naive = None
        if references:
            naive = torch.from_numpy(self._naive(series, cuts))
        return ForecastBatch(
            ids=torch.as_tensor(np.asarray(numbers, dtype=np.int64)),
            context=context,
            observed=observed,
            lengths=torch.from_numpy(steps),
            past=past,
            known=known,
            known_future=self._known_future(series, present, cuts),
            static=torch.from_numpy(self.static[series]),
            categories=torch.from_numpy(self.categories[series]),
            gap=gap,
            target=target,
            target_observed=target_observed,
            location=torch.from_numpy(self.scales.location[series].astype(np.float32)),
            scale=torch.from_numpy(self.scales.scale[series].astype(np.float32)),
            naive_error=torch.from_numpy(self.naive_error[series]),
            series=torch.from_numpy(series),
            cuts=torch.from_numpy(cuts),
            naive=naive,
        )

    def dates(self, series: int, first: int, count: int) -> pd.DatetimeIndex | range:
        """Return the dates of some steps of a series, also behind its end.

        Args:
            series: Its number.
            first: The first of the steps.
            count: How many.

        Returns:
            Dates at the series' own frequency; without dates, the numbers of the steps.
        """
        if self.starts is None:
            return range(first, first + count)
        start = pd.Timestamp(self.starts[series])
        return pd.date_range(start, periods=first + count, freq=self.frequency)[first:]

    def data_values(self, series: int, count: int) -> NDArray[np.float64]:
        """Return the first steps of a series in the units of the data (count, K); NaN: missing."""
        first = int(self.offsets[series])
        location, scale = (each[series] for each in self.scales)
        values: NDArray[np.float64] = self.values[first : first + count] * scale + location
        if self.observed is not None:
            values[~self.observed[first : first + count]] = np.nan
        return values

    def _before(
        self, series: Integers, present: Integers, cuts: Integers, lengths: Integers, width: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        firsts = present - lengths
        context = blocks(self.values, firsts, width)
        observed = self._observed(firsts, width)
        past = blocks(self.past, firsts, width)
        known = self._known(series, firsts, cuts - lengths, width)
        if (lengths < width).any():  # behind the context lies what is not known yet
            inside = np.arange(width) < lengths[:, None]
            for each in (context, observed, past, known):
                each[~inside] = 0
        return (
            torch.from_numpy(context),
            torch.from_numpy(observed),
            torch.from_numpy(past),
            torch.from_numpy(known),
        )

    def _behind(
        self, series: Integers, present: Integers, cuts: Integers
    ) -> tuple[Tensor, Tensor, Tensor]:
        skipped = self.lead - 1
        width = skipped + self.horizon
        values, observed = blocks(self.values, present, width), self._observed(present, width)
        left = self.history[series] - cuts
        if (left < width).any():  # where the history ends, another series begins
            behind = np.arange(width) >= left[:, None]
            values[behind] = 0
            observed[behind] = False
        target = torch.from_numpy(values)
        return (
            target[:, :skipped],
            target[:, skipped:],
            torch.from_numpy(observed)[:, skipped:],
        )

    def _known_future(self, series: Integers, present: Integers, cuts: Integers) -> Tensor:
        skipped = self.lead - 1
        known = self._known(series, present + skipped, cuts + skipped, self.horizon)
        left = self.offsets[series + 1] - self.offsets[series] - cuts - skipped
        given = self.known.shape[1]
        if given and (left < self.horizon).any():
            behind = np.arange(self.horizon) >= left[:, None]
            known[:, :, :given][behind] = 0
        return torch.from_numpy(known)

    def _known(self, series: Integers, firsts: Integers, steps: Integers, width: int) -> Floats32:
        """Return covariates and calendar (B, width, C) from some rows, which are some steps on."""
        known = blocks(self.known, firsts, width)
        if self.calendar is None:
            return known
        features = blocks(self.calendar.table, self.calendar.first[series] + steps, width)
        return np.concatenate([known, features], axis=2)

    def _observed(self, firsts: Integers, width: int) -> NDArray[np.bool_]:
        if self.observed is None:
            return np.ones((len(firsts), width, self.values.shape[1]), dtype=np.bool_)
        return blocks(self.observed, firsts, width)

    def _naive(self, series: Integers, cuts: Integers) -> Floats32:
        return seasonal_naive_values(
            self.values,
            self.observed,
            self.offsets[series],
            cuts,
            self.season,
            self.lead,
            self.horizon,
        )
