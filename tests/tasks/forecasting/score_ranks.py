"""Scores and calibrates by windows on the processes of `torchrun`; writes what each rank finds.

Usage: torchrun --nproc-per-node N score_ranks.py FOLDER
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.conformal import ConformalIntervals
from seqforge_tasks.forecasting.heads.gaussian import GaussianHead
from seqforge_tasks.forecasting.intervals import bounds
from seqforge_tasks.forecasting.scores import ForecastTable
from tests.tasks.forecasting import windows

LEVELS = [50.0, 80.0]
SHARES = {0: [list(range(9)), [9], list(range(10, 30))], 1: list[list[int]]()}
"""Windows of each rank, batch by batch: the second rank has none."""


def data() -> ForecastBatch:
    """Return thirty windows of two channels, with missing targets and a reference."""
    made = windows.batch(windows.spec(channels=["a", "b"]), rows=30, seed=1)
    chance = torch.Generator().manual_seed(2)
    kept = torch.rand(made.target.shape, generator=chance) > 0.2
    shift, scale = 5 + made.target[:, 0], made.target[:, 1].exp()
    return replace(
        made,
        target_observed=kept,
        location=shift,
        scale=scale,
        naive_error=made.target[:, 2].clamp(min=0),
        naive2=made.gap.new_zeros(made.target.shape),
    )


def found(batches: list[list[int]]) -> list[Any]:
    """Return the measures of two passes, and what calibrates the intervals."""
    table, intervals = ForecastTable("data", LEVELS), ConformalIntervals(LEVELS, 6)
    whole, passes = data(), []
    raw = torch.randn(30, 6, 2, 2, generator=torch.Generator().manual_seed(4))
    for _ in range(2):
        for rows in batches:
            batch = whole.rows(torch.tensor(rows))
            one = torch.ones(len(rows), 1, 2)
            predictive = GaussianHead()(raw[rows], 0 * one, one)
            low, high = bounds(predictive, LEVELS)
            intervals.update(low, high, batch.target, batch.target_observed)
            table.update(batch, predictive, (low, high), predictive.point() / 2)
        intervals.finish()
        passes.append(table.finish())
    return [*passes, intervals.corrections.tolist()]


def main() -> None:
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    torch.distributed.init_process_group("gloo")
    text = json.dumps(found(SHARES[rank]))
    (folder / f"{rank}.json").write_text(text, encoding="utf-8")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
