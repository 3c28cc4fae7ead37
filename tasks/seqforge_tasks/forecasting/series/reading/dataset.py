"""Series in data sets of the `datasets` library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seqforge.corpus import open_dataset, require_named
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.reading.arrays import panel_from_arrays
from seqforge_tasks.forecasting.series.reading.frames import panel_from_frame
from seqforge_tasks.forecasting.series.reading.reading import Reading

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
    dates = pd.DatetimeIndex(pd.to_datetime(starts)).as_unit("ns").to_numpy()
    panel = replace(reading.panel, starts=dates, frequency=frequency)
    return replace(reading, panel=panel, layout=replace(reading.layout, frequency=frequency))
