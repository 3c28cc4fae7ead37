"""Train neuralforecast's LSTM on the training part of ETTh1, and note each step.

    PEER/bin/python benchmarks/peers/neuralforecast_steps.py ETTh1.csv.gz --log steps.jsonl

`NeuralForecast.fit` as it comes, but for the learning rate, which stays constant, and a callback
that notes the steps; it trains until it is ended. `benchmarks/peers_table.py` starts it, by the
Python that has neuralforecast 3.3.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import logging
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import LSTM

from benchmarks.peers.step_lines import StepLines

TRAINING = 8640
"""Hours of ETTh1's training part."""


class BatchLog(pl.Callback):
    """Notes each step.

    Args:
        log: The file.
        windows: Of a step.
    """

    def __init__(self, log: Path, windows: int) -> None:
        self._log = log
        self._windows = windows
        self._lines: StepLines | None = None  # neuralforecast copies its models: no open file yet

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write what is trained."""
        self._lines = StepLines(self._log)
        weights = sum(each.numel() for each in pl_module.parameters() if each.requires_grad)
        version = importlib.metadata.version("neuralforecast")
        self._lines.begin(weights, torch=torch.__version__, neuralforecast=version)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write the step; its loss is of windows in a scale of their own."""
        assert self._lines is not None
        self._lines.step(self._windows, float(pl_module.train_trajectories[-1][1]))


def main() -> None:
    """Run from the command line; trains until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("table", type=Path)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--context", type=int, default=96)
    parser.add_argument("--horizon", type=int, default=96)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=1024, help="windows at a time")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    table = pd.read_csv(arguments.table, parse_dates=["date"]).iloc[:TRAINING]
    frame = table.melt("date", var_name="unique_id", value_name="y").rename(columns={"date": "ds"})
    model = LSTM(
        h=arguments.horizon,
        input_size=arguments.context,
        encoder_n_layers=arguments.layers,
        encoder_hidden_size=arguments.size,
        loss=MSE(),
        scaler_type="standard",
        max_steps=1_000_000,
        learning_rate=0.001,
        windows_batch_size=arguments.batch_size,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=[BatchLog(arguments.log, arguments.batch_size)],
    )
    NeuralForecast([model], freq="h").fit(frame[["unique_id", "ds", "y"]])


if __name__ == "__main__":
    main()
