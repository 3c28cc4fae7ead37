"""What is measured of seqforge's forecasting in a process of its own; one line of JSON each.

    python benchmarks/forecasting_runner.py backtest --report FILE.json --table ETTh1.csv.gz
    python benchmarks/forecasting_runner.py loading --report FILE.json --table ETTh1.csv.gz
    python benchmarks/forecasting_runner.py memory --report FILE.json

`benchmarks/forecasting_speed.py` starts it.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch

from seqforge.cli.memory import keep_memory
from seqforge.cli.quiet import quiet_libraries
from seqforge.data import Batch
from seqforge.encoders import GRU, LSTM, EncoderFactory
from seqforge.task import Progress
from seqforge.training import SequenceModule
from seqforge_tasks.forecasting import Forecasting, TimeSeries

PARTS = {"split": "steps", "train": 8640, "validation": 2880, "test": 2880}
"""Hours of ETTh1's parts."""
CHANNELS = 7
MEBIBYTE = 2**20


def trainer(**options: Any) -> pl.Trainer:
    """Return a trainer that writes nothing."""
    return pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
        **options,
    )


# -- backtest ----------------------------------------------------------------------------------


def backtest(arguments: argparse.Namespace) -> dict[str, Any]:
    """Time a pass over all test windows: from the file to the table of measures and baselines."""
    dense = arguments.every_step

    def series() -> TimeSeries:
        return TimeSeries(
            path=str(arguments.table),
            context=arguments.context,
            horizon=arguments.horizon,
            batch_size=7 if dense else arguments.batch_size,
            carried=dense,
            **PARTS,
        )

    task = Forecasting(
        mode="direct", normalisation="none" if dense else "standard", every_step=dense
    )
    encoder = partial(LSTM, hidden_size=arguments.size, num_layers=arguments.layers)
    module = SequenceModule(task, encoder)
    trainer(max_steps=arguments.steps).fit(module, datamodule=series())
    data = series()
    started = time.perf_counter()
    data.setup("test")
    (loader,) = data.test_dataloader().values()
    (measured,) = trainer(limit_test_batches=arguments.batches).test(module, loader, verbose=False)
    seconds = time.perf_counter() - started
    windows = _forecast_windows(loader, dense, arguments.batches)
    return {
        "windows": windows,
        "seconds": seconds,
        "windows_per_second": windows / seconds,
        "mae": measured["test/mae"],
        "parameters": sum(each.numel() for each in task.network.parameters()),
    }


def _forecast_windows(loader: Iterable[Any], dense: bool, batches: int | None) -> int:
    """Count cut-offs with a whole horizon behind them."""
    count = 0
    for batch in islice(loader, batches):
        # Of a whole part in one window every step of the context is a cut-off.
        count += int(batch.lengths.sum()) if dense else batch.size()[0]
    return count


# -- loading -----------------------------------------------------------------------------------

NETWORKS: dict[str, dict[str, int]] = {
    "look-back 720, hidden 512": {"context": 720, "segment": 48, "size": 512},
    "look-back 96, hidden 128": {"context": 96, "segment": 24, "size": 128},
}


def loading(arguments: argparse.Namespace) -> dict[str, Any]:
    """Time the same training steps on the loader's batches and on ready-made ones, in turn."""
    shares = {}
    for name, sizes in NETWORKS.items():
        step, data = _training(arguments, **sizes)
        ready = list(islice(data.train_dataloader(), arguments.steps))
        pairs = []
        _timed(step, ready[:2])
        for _ in range(arguments.pairs):
            fresh = data.train_dataloader()
            pairs.append((_timed(step, ready), _timed(step, islice(fresh, arguments.steps))))
        shares[name] = {
            "ready": [arguments.steps / seconds for seconds, _ in pairs],
            "loaded": [arguments.steps / seconds for _, seconds in pairs],
            "share": statistics.median(ready / loaded for ready, loaded in pairs),
        }
    return shares


def _training(
    arguments: argparse.Namespace, context: int, segment: int, size: int
) -> tuple[Callable[[Batch], None], TimeSeries]:
    data = TimeSeries(
        path=str(arguments.table),
        context=context,
        horizon=96,
        batch_size=arguments.batch_size,
        **PARTS,
    )
    data.setup("fit")
    task = Forecasting(mode="segments", segment=segment, embedding_size=size, identity=size // 2)
    task.build(EncoderFactory(partial(GRU, hidden_size=size, num_layers=1)), data.spec())
    optimizer = torch.optim.Adam(task.parameters(), lr=3e-4)

    def step(batch: Batch) -> None:
        optimizer.zero_grad()
        term = task.loss(batch, None, Progress(0, 0, 0.0)).terms["loss"]
        (term.total / term.count).backward()
        optimizer.step()

    return step, data


def _timed(step: Callable[[Batch], None], batches: Iterable[Batch]) -> float:
    started = time.perf_counter()
    for batch in batches:
        step(batch)
    return time.perf_counter() - started


# -- memory ------------------------------------------------------------------------------------


def memory(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure what many series take above a process that has trained the same model on few.

    The process first trains on a tenth of a percent of them, so that libraries, model, optimiser
    and the buffers of a step are there. Then all are read from a file, and trained and validated
    on.
    """
    with tempfile.TemporaryDirectory() as folder:
        small = _table(Path(folder), max(arguments.series // 1000, 2), arguments.points)
        large = _table(Path(folder), arguments.series, arguments.points)
        _fit(small, arguments)
        gc.collect()
        model = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        data = _fit(large, arguments)
        peak = _resident("VmHWM")
        gc.collect()
        kept = _resident("VmRSS")
        size = large.stat().st_size / MEBIBYTE
    assert data.panel is not None
    return {
        "series": len(data.panel),
        "points": arguments.points,
        "file_mebibytes": size,
        "model_mebibytes": model,
        "peak_above_mebibytes": peak - model,
        "kept_above_mebibytes": kept - model,
    }


def _table(folder: Path, series: int, points: int) -> Path:
    """Write a wide table of random walks, a column each, and return its path."""
    generator = np.random.default_rng(0)
    file = folder / f"series{series}.csv"
    names = [f"s{number}" for number in range(series)]
    dates = pd.date_range("2020-01-01", periods=points, freq="h")
    level = np.zeros(series)
    with file.open("w", encoding="utf-8") as out:
        out.write(",".join(["date", *names]) + "\n")
        for date in dates:  # row by row, so that writing leaves no memory behind
            level += generator.normal(size=series)
            out.write(f"{date}," + ",".join(f"{value:.4f}" for value in level) + "\n")
    return file


def _fit(table: Path, arguments: argparse.Namespace) -> TimeSeries:
    data = TimeSeries(path=str(table), context=96, horizon=24, batch_size=256)
    module = SequenceModule(
        Forecasting(mode="segments", embedding_size=64), partial(GRU, hidden_size=64, num_layers=1)
    )
    own = trainer(max_steps=arguments.steps)
    own.fit(module, datamodule=data)
    validation = next(iter(data.val_dataloader().values()))
    trainer(limit_test_batches=arguments.steps).test(module, validation, verbose=False)
    return data


def _resident(field: str) -> float:
    """Return a line of the system's account of this process, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) / 1024
    raise OSError(f"the system says nothing of {field}")


ACTIONS = {"backtest": backtest, "loading": loading, "memory": memory}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--table", type=Path, help="ETTh1, but for memory")
    parser.add_argument("--context", type=int, default=96)
    parser.add_argument("--horizon", type=int, default=96)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--batches", type=int, help="backtest: no more than these")
    parser.add_argument("--every-step", action="store_true", help="backtest: one pass a series")
    parser.add_argument("--steps", type=int, default=5, help="of training")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=1000)
    arguments = parser.parse_args()
    keep_memory()  # as `seqforge fit` does
    quiet_libraries()
    pl.seed_everything(0, verbose=False)
    line = ACTIONS[arguments.action](arguments)
    arguments.report.write_text(json.dumps(line) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
