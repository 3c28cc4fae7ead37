"""Forecasters whose answers are known: networks of zeros repeat the last value."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from seqforge.encoders import GRU, EncoderFactory
from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.encoding import Encoding
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.reading import Reading, panel_from_frame
from seqforge_tasks.forecasting.task import Forecasting

CONTEXT, HORIZON = 6, 4


def spec(reading: Reading, layout: Layout, **choices: Any) -> dict[str, Any]:
    """Return the spec of data in which each series trains on its whole history."""
    panel = reading.panel
    options = SeriesOptions(**{"context": CONTEXT, "horizon": HORIZON, **choices})
    encoding = Encoding.fit(panel, panel.history, options)
    return {
        "channels": list(encoding.channels),
        "context": encoding.context,
        "horizon": encoding.horizon,
        "lead": encoding.lead,
        "past": list(encoding.past),
        "known": list(encoding.known_features),
        "static": list(encoding.static),
        "categories": {key: list(each) for key, each in encoding.categories.items()},
        "season": encoding.season,
        "frequency": encoding.frequency,
        "missing": encoding.missing,
        "carried": options.carried,
        "calibration": 100,
        "encoding": encoding.to_spec(),
        "layout": layout.to_spec(),
    }


def built(
    data: dict[str, Any], mode: Any = "direct", head: Any = "point", **options: Any
) -> Forecasting:
    """Return a task with random weights, in evaluation mode."""
    torch.manual_seed(0)
    plain = {"normalisation": "last", "segment": 2, "embedding_size": 4, "paths": 20}
    task = Forecasting(mode, head=head, **{**plain, **options})
    task.build(EncoderFactory(partial(GRU, hidden_size=4)), data)
    return task.eval()


def repeating(
    frame: pd.DataFrame,
    mode: Any = "direct",
    head: Any = "point",
    layout: Layout | None = None,
    choices: dict[str, Any] | None = None,
    **options: Any,
) -> Forecasting:
    """Return a task, trained on a frame, that forecasts each series' last value.

    Args:
        frame: What the encoding is learnt from.
        mode: The task's.
        head: The task's.
        layout: The frame's; None: found out.
        choices: Of the data.
        options: Of the task.
    """
    layout = layout or Layout()
    data = spec(panel_from_frame(frame, layout), layout, **(choices or {}))
    task = built(data, mode, head, **options)
    for parameter in task.network.parameters():
        torch.nn.init.zeros_(parameter)
    return task


def wide(steps: int = 20, frequency: str | None = "D", start: str = "2024-01-01") -> pd.DataFrame:
    """Return two series, `a` up and `b` down, with dates if there is a frequency."""
    numbers = np.arange(steps, dtype=np.float64)
    values = {"a": 10 + numbers, "b": 100 - 2 * numbers}
    if frequency is None:
        return pd.DataFrame(values)
    dates = pd.date_range(start, periods=steps, freq=frequency)
    return pd.DataFrame({"day": dates, **values})


def long(steps: int = 20) -> pd.DataFrame:
    """Return the same series as rows of `unique_id`, `ds`, `y`."""
    melted = wide(steps).melt("day", var_name="unique_id", value_name="y")
    return melted.rename(columns={"day": "ds"})[["unique_id", "ds", "y"]]


def refused(function: Callable[[], object], pattern: str) -> UserError:
    """Return the mistake that a function refuses, whose first line has the pattern."""
    with pytest.raises(UserError) as caught:
        function()
    assert re.search(pattern, caught.value.given)
    assert len(str(caught.value).splitlines()) <= 5
    return caught.value
