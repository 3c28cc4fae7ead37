"""Backtest neuralforecast's LSTM on the test part of ETTh1, and note how long it takes.

    PEER/bin/python benchmarks/peers/neuralforecast_runner.py ETTh1.csv.gz --report FILE.json

The network is trained for a few steps first, which is not part of the time, nor is reading the
file. What is timed is `cross_validation` with `refit=False` and `step_size=1`, from the frame to
the frame of forecasts. `benchmarks/forecasting_speed.py` starts it, by the Python that has
neuralforecast 3.3.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import warnings
from pathlib import Path

import pandas as pd
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import LSTM

ROWS = 14_400
"""Hours of ETTh1's three parts: 8,640, 2,880 and 2,880."""


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("table", type=Path)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=2785, help="cut-offs of each series")
    parser.add_argument("--context", type=int, default=96)
    parser.add_argument("--horizon", type=int, default=96)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=5, help="of training, before the time")
    parser.add_argument("--batch-size", type=int, default=1024, help="windows at a time")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    table = pd.read_csv(arguments.table, parse_dates=["date"]).iloc[:ROWS]
    frame = table.melt("date", var_name="unique_id", value_name="y").rename(columns={"date": "ds"})
    frame = frame[["unique_id", "ds", "y"]]
    held = arguments.horizon + arguments.windows - 1
    model = LSTM(
        h=arguments.horizon,
        input_size=arguments.context,
        encoder_n_layers=arguments.layers,
        encoder_hidden_size=arguments.size,
        loss=MSE(),
        scaler_type="standard",
        max_steps=arguments.steps,
        inference_windows_batch_size=arguments.batch_size,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    forecaster = NeuralForecast([model], freq="h")
    forecaster.fit(frame[frame["ds"] < table["date"].iloc[-held]])
    started = time.perf_counter()
    forecasts = forecaster.cross_validation(
        frame, n_windows=arguments.windows, step_size=1, refit=False, use_fitted=True
    )
    seconds = time.perf_counter() - started
    windows = arguments.windows * frame["unique_id"].nunique()
    assert len(forecasts) == windows * arguments.horizon
    error = float((forecasts["LSTM"] - forecasts["y"]).abs().mean())
    line = {
        "windows": windows,
        "seconds": seconds,
        "windows_per_second": windows / seconds,
        "mae": error,
        "parameters": sum(each.numel() for each in model.parameters()),
    }
    arguments.report.write_text(json.dumps(line) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
