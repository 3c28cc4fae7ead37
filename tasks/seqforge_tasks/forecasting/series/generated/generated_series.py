"""What data modules of generated series share."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.panel import Panel
from seqforge_tasks.forecasting.series.reading import Reading

GeneratedSplit = Literal["series", "fractions", "steps", "horizons"]


def generated_reading(values: NDArray[np.float64], name: str, channels: tuple[str, ...]) -> Reading:
    """Return generated series as those of a file.

    Args:
        values: `(N, T, K)`.
        name: What series are called, with a number from 0.
        channels: Names of the K channels.
    """
    count, length, width = values.shape
    empty = np.empty((count * length, 0))
    panel = Panel(
        names=[f"{name} {number}" for number in range(count)],
        channels=channels,
        values=values.reshape(count * length, width),
        offsets=np.arange(count + 1) * length,
        history=np.full(count, length, dtype=np.int64),
        past=empty,
        past_names=(),
        known=empty,
        known_names=(),
        static=np.empty((count, 0)),
        static_names=(),
    )
    return Reading(panel, Layout(multivariate=width > 1, name=name))


def require_amounts(series: int, length: int, transient: int) -> None:
    """Refuse numbers of which nothing can be generated.

    Raises:
        UserError: There are no series or no points, or a negative number of them is left out.
    """
    amounts = {"series": (series, 1), "length": (length, 2), "transient": (transient, 0)}
    for key, (amount, least) in amounts.items():
        if amount < least:
            raise UserError(
                f"{key} is {amount}", where=f"data.{key}", todo=f"give at least {least}"
            )
