"""Made-up series."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.panel import Panel
from seqforge_tasks.forecasting.series.reading import Reading
from seqforge_tasks.forecasting.series.series_in_memory import SeriesInMemory

Floats = NDArray[np.float64]


def panel_of(
    lengths: Sequence[int],
    channels: int = 1,
    seed: int = 0,
    future: int = 0,
    missing: float = 0.0,
    covariates: bool = False,
    frequency: str | None = None,
) -> Panel:
    """Return noise around levels of its own for each series, and `future` rows behind each end.

    Args:
        lengths: Steps of each series.
        channels: Channels of the target.
        seed: What values are drawn from.
        future: Rows behind each end.
        missing: Share of values that are missing.
        covariates: Whether there are two of each kind, and a category.
        frequency: The step; None: there are no dates.
    """
    chance = np.random.default_rng(seed)
    count = len(lengths)
    offsets = np.concatenate([[0], np.cumsum(np.array(lengths) + future)]).astype(np.int64)
    rows = int(offsets[-1])
    level = np.repeat(chance.normal(0, 50, (count, channels)), np.array(lengths) + future, axis=0)
    values = level + 3 * chance.normal(size=(rows, channels))
    values[chance.random((rows, channels)) < missing] = np.nan
    for first, length in zip(offsets[:-1], lengths, strict=True):
        values[first + length : first + length + future] = np.nan
    width = 2 if covariates else 0
    names = ("a", "b") if covariates else ()
    return Panel(
        names=[f"s{number}" for number in range(count)],
        channels=tuple(f"c{channel}" for channel in range(channels)),
        values=values,
        offsets=offsets,
        history=np.array(lengths, dtype=np.int64),
        past=chance.normal(5, 2, (rows, width)),
        past_names=names,
        known=chance.normal(-5, 2, (rows, width)),
        known_names=names,
        static=chance.normal(1, 9, (count, width)),
        static_names=names,
        categories={"kind": [("x", "y")[n % 2] for n in range(count)]} if covariates else {},
        starts=None
        if frequency is None
        else np.full(count, pd.Timestamp("2020-01-01"), dtype="datetime64[ns]"),
        frequency=frequency,
    )


def data_of(panel: Panel, batch_size: int = 16, **options: Any) -> SeriesInMemory:
    """Return a data module of made-up series, not yet set up."""
    return SeriesInMemory(Reading(panel, Layout()), SeriesOptions(**options), batch_size)
