"""What `cost_growth.py` measures of forecasting, against the number of series."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.growth_steps import START, Work, optimised, optimizer_of
from seqforge.encoders import GRU, EncoderFactory
from seqforge_tasks.forecasting import Forecasting, TimeSeries

Layout = Literal["wide", "long"]
POINTS = 200
"""Of each series, of which 140 are trained on: two windows."""


def series_reading(layout: Layout, count: int) -> Work:
    """Return the work of reading and encoding so many series from a file."""
    folder = tempfile.mkdtemp()
    path = _table(Path(folder), layout, count)

    def work() -> None:
        _series(path, layout).setup("fit")

    weakref.finalize(work, shutil.rmtree, folder)  # the file is there as long as the work is
    return work


def series_epoch(count: int) -> Work:
    """Return the work of an epoch over so many series, batches of 256 windows, a GRU of 64."""
    with tempfile.TemporaryDirectory() as folder:
        data = _series(_table(Path(folder), "wide", count), "wide")
        data.setup("fit")
    task = Forecasting(mode="segments", embedding_size=64)
    task.build(EncoderFactory(partial(GRU, hidden_size=64, num_layers=1), {}), data.spec())
    optimizer = optimizer_of(task)

    def work() -> None:
        loader = data.train_dataloader()
        for batch in islice(loader, len(loader)):
            optimised(optimizer, task.loss(batch, None, START).terms["loss"])

    return work


def _series(path: Path, layout: Layout) -> TimeSeries:
    return TimeSeries(
        path=str(path), kind=layout, context=96, horizon=24, stride=16, batch_size=256, seed=0
    )


def _table(folder: Path, layout: Layout, count: int) -> Path:
    """Write random walks, a column each ("wide") or one below the other ("long")."""
    file = folder / f"{layout}{count}.csv"
    generator = np.random.default_rng(0)
    dates = np.datetime64("2020-01-01T00") + np.arange(POINTS).astype("timedelta64[h]")
    days = [str(each).replace("T", " ") + ":00:00" for each in dates]
    with file.open("w", encoding="utf-8") as out:
        if layout == "wide":
            out.write(",".join(["date", *(f"s{number}" for number in range(count))]) + "\n")
            level = np.zeros(count)
            for day in days:
                level += generator.normal(size=count)
                out.write(f"{day}," + ",".join(f"{value:.4f}" for value in level) + "\n")
        else:
            out.write("date,unique_id,value\n")
            for number in range(count):
                walk = generator.normal(size=POINTS).cumsum()
                out.writelines(
                    f"{day},s{number},{value:.4f}\n" for day, value in zip(days, walk, strict=True)
                )
    return file
