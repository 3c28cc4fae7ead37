"""Forecasting keeps what every task must keep, in each mode and with carried states."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from seqforge.encoders import GRU
from seqforge.testing import TaskCase
from seqforge.testing.task_contract import CHECKS
from seqforge_tasks.forecasting import Forecasting, ForecastingOptions, TimeSeries

SIZES: dict[str, Any] = {"context": 8, "horizon": 4, "batch_size": 32, "season": 6}
SMALL: dict[str, Any] = {"segment": 4, "embedding_size": 6, "levels": [50.0, 80.0], "paths": 8}


class Chosen(NamedTuple):
    """What a case tries: options of the task and of the data, and whether values are missing."""

    task: dict[str, Any]
    data: dict[str, Any]
    gaps: bool = False


CASES = {
    "direct": Chosen(
        {"mode": "direct", "head": "gaussian", "identity": 3, "normalisation": "standard"},
        {"known": ["sale"], "past": ["visits"], "calendar": "auto"},
        gaps=True,
    ),
    "recursive": Chosen(
        {"mode": "recursive", "head": "student_t", "normalisation": "mean"},
        {"known": ["sale"], "multivariate": True},
        gaps=True,
    ),
    "segments": Chosen(
        {"mode": "segments", "head": "quantile", "conformal": True},
        {"past": ["visits"], "known": ["sale"], "calibration": 0.5},
    ),
    "carried": Chosen(
        {"mode": "direct", "normalisation": "none", "every_step": True},
        {"carried": True, "lead": 3, "target": ["a", "b"]},
    ),
}


def table(folder: Path, gaps: bool) -> Path:
    """Write two waves with a promotion that lifts them, and visits that follow."""
    chance = np.random.default_rng(0)
    steps = np.arange(130)
    sale = (chance.random(130) < 0.3).astype(float)
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=130)})
    for name, phase in (("a", 0.0), ("b", 2.0)):
        noise = 0.2 * chance.normal(size=130)
        frame[name] = 20 + 4 * np.sin(steps * np.pi / 3 + phase) + 3 * sale + noise
    frame["visits"] = frame["a"] * 10 + chance.normal(size=130)
    frame["sale"] = sale
    if gaps:
        frame.loc[chance.choice(126, 12, replace=False), "a"] = np.nan
    # Behind the end, only the promotion is known.
    frame.loc[126:, ["a", "b", "visits"]] = np.nan
    file = folder / ("gaps.csv" if gaps else "full.csv")
    frame.to_csv(file, index=False)
    return file


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TaskCase:
    chosen = CASES[request.param]
    file = table(tmp_path_factory.mktemp("series"), chosen.gaps)
    return TaskCase(
        lambda: Forecasting(**{**SMALL, **chosen.task}),
        lambda: TimeSeries(str(file), **{**SIZES, **chosen.data}),
        partial(GRU, hidden_size=8),
        [file],
        ForecastingOptions(levels=[50.0, 80.0] if chosen.task.get("head") else []),
        epochs=4,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_passes(check: Callable[[TaskCase], None], case: TaskCase) -> None:
    check(case)
