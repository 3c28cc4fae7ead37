"""Series in data sets of the `datasets` library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seqforge.corpus import open_dataset, require_named
from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading.arrays import panel_from_arrays
from seqforge_tasks.forecasting.series.reading.frames import panel_from_frame
from seqforge_tasks.forecasting.series.reading.reading import Reading
from seqforge_tasks.forecasting.series.reading.steps import steps_of_alias

TARGET, START, NAME = "target", "start", "item_id"


def panel_from_dataset(
    dataset: str,
    configuration: str | None = None,
    split: str = "train",
    files: str | list[str] | None = None,
    revision: str | None = None,
    layout: Layout | None = None,
) -> Reading:
    """Read the series of a data set: a table as of a file, or a row each series.

    The latter has the columns `target` (a list of numbers), and maybe `start` and `item_id`; its
    frequency must be given, or its series have no dates.

    Args:
        dataset: A name on the Hugging Face Hub, a local folder, or a builder such as "csv".
        configuration: The configuration's name, for a data set that has several.
        split: The split, such as "train".
        files: For builders and folders: the files to read.
        revision: Branch, tag or commit on the Hub; None: the newest.
        layout: What its columns mean; None: found out.

    Raises:
        UserError: There is no such data set, or its contents are refused.
    """
    require_named(dataset)
    layout = layout or Layout()
    if layout.name == Layout.name:
        layout = replace(layout, name=Path(dataset).name or Layout.name)
    rows = open_dataset(dataset, configuration, split=split, files=files, revision=revision)
    frame = rows.with_format("arrow")[:].to_pandas()
    if not _has_lists(frame):
        return panel_from_frame(frame, layout)
    names = [str(name) for name in frame[NAME]] if NAME in frame.columns else None
    reading = panel_from_arrays([np.asarray(each) for each in frame[TARGET]], names, layout)
    if START not in frame.columns or layout.frequency is None:
        return reading
    return _dated(reading, frame[START], layout.frequency)


def _has_lists(frame: pd.DataFrame) -> bool:
    return TARGET in frame.columns and len(frame) > 0 and np.ndim(frame[TARGET].iloc[0]) > 0


def _dated(reading: Reading, starts: pd.Series[Any], frequency: str) -> Reading:
    panel = reading.panel
    read = pd.to_datetime(starts, errors="coerce", format="ISO8601")
    dates = pd.DatetimeIndex(read).tz_localize(None).as_unit("ns")
    if dates.isna().any():
        raise _no_beginning(reading, starts, int(dates.isna().argmax()), "is no date")
    moments = dates.to_numpy().view(np.int64)
    steps = steps_of_alias(frequency, moments)
    off = steps.positions(moments, moments) < 0
    if off.any():
        problem = f"is no date of the step '{steps.alias}'"
        raise _no_beginning(reading, starts, int(off.argmax()), problem)
    # A series begins with its first value, and the date is that of the row before it was cut.
    assert panel.first_steps is not None
    begins = [
        pd.date_range(date, periods=int(first), freq=steps.alias)[-1]
        for date, first in zip(dates, panel.first_steps, strict=True)
    ]
    advanced = pd.DatetimeIndex(begins).as_unit("ns").to_numpy()
    panel = replace(panel, starts=advanced, frequency=steps.alias, first_steps=None, step_length=1)
    return replace(reading, panel=panel, layout=replace(reading.layout, frequency=steps.alias))


def _no_beginning(reading: Reading, starts: pd.Series[Any], series: int, problem: str) -> UserError:
    return UserError(
        f"the series '{reading.panel.names[series]}' begins at '{starts.iloc[series]}', which "
        f"{problem}",
        where=reading.layout.name,
        todo="correct the date, as 2024-01-31, or set data.frequency to a step that fits",
    )
