"""Let a recursive network go on with the Mackey-Glass equation by itself: NRMSE84.

    seqforge fit --config configs/recipes/mackey_glass_closed_loop.yaml --run mackey_glass
    python benchmarks/mackey_glass_closed_loop.py runs/mackey_glass

Jaeger 2001 (GMD report 148): a trained network is fed 1,000 true values and then 84 of its own; the
error of the 84th, over many trials, is divided by the standard deviation of the series. Values are
those of the equation: the network's, `tanh(x - 1)`, are taken back. The series are none of those
that the network was trained, chosen or tested on.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import seqforge
from seqforge_tasks.forecasting import Forecasting, ForecastingOptions
from seqforge_tasks.forecasting.series.generated.mackey_glass import mackey_glass

TAUGHT, FREE = 1000, 84
SEED = 1_000_003
"""Of the series; recipes count theirs from 0."""


def closed_loop(task: Forecasting, series: int, trials: int, tau: float) -> dict[int, float]:
    """Return the error after 1, 15 and 84 free steps, over the standard deviation of the series.

    Args:
        task: Trained on `tanh(x - 1)`, in mode recursive.
        series: Series that are made.
        trials: Beginnings on each series.
        tau: The delay.
    """
    apart = 200
    length = TAUGHT + FREE + apart * trials
    values = mackey_glass(series, length, tau=tau, transient=100, seed=SEED)  # (series, length)
    starts = [apart * trial for trial in range(trials)]
    given = [np.tanh(row[s : s + TAUGHT] - 1) for row in values for s in starts]
    true = np.array([row[s + TAUGHT : s + TAUGHT + FREE] for row in values for s in starts])
    frame = pd.DataFrame({f"trial {number}": row for number, row in enumerate(given)})
    found = task.forecast(frame, ForecastingOptions(horizon=FREE)).to_numpy().T  # (trials, FREE)
    error = np.arctanh(np.clip(found, -1 + 1e-9, 1 - 1e-9)) + 1 - true
    deviation = values.std()
    steps = (1, 15, FREE)
    return {step: float(np.sqrt((error[:, step - 1] ** 2).mean()) / deviation) for step in steps}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint")
    parser.add_argument("--series", type=int, default=20)
    parser.add_argument("--trials", type=int, default=10, help="on each series")
    parser.add_argument("--tau", type=float, default=17.0)
    arguments = parser.parse_args()
    task = seqforge.load(arguments.checkpoint)
    assert isinstance(task, Forecasting)
    errors = closed_loop(task, arguments.series, arguments.trials, arguments.tau)
    print("| free steps | NRMSE |", "|---|---|", sep="\n")
    for step, error in errors.items():
        print(f"| {step} | {error:.2e} |")


if __name__ == "__main__":
    main()
