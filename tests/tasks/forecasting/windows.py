"""Made-up windows, and a small network for them."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from seqforge.encoders import GRU, Encoder, EncoderFactory
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.heads.kinds import make_head
from seqforge_tasks.forecasting.modes.kinds import ModeOptions
from seqforge_tasks.forecasting.network import ForecastNetwork

QUANTILES = [0.1, 0.5, 0.9]


def spec(**changes: Any) -> dict[str, Any]:
    """Return a data module's spec: 12 steps of context, 6 of the horizon, nothing else."""
    plain: dict[str, Any] = {
        "channels": ["value"],
        "context": 12,
        "horizon": 6,
        "lead": 1,
        "past": [],
        "known": [],
        "static": [],
        "categories": {"series": ["a", "b", "c"]},
        "season": 4,
        "frequency": None,
        "missing": False,
        "carried": False,
        "calibration": 0,
        "encoding": {},
    }
    return plain | changes


def batch(data: dict[str, Any], rows: int = 3, seed: int = 0) -> ForecastBatch:
    """Return random windows that fit a spec, in float64."""
    chance = torch.Generator().manual_seed(seed)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=chance, dtype=torch.float64)

    context, horizon, channels = data["context"], data["horizon"], len(data["channels"])
    return ForecastBatch(
        ids=torch.arange(rows),
        context=numbers(rows, context, channels),
        observed=torch.ones(rows, context, channels, dtype=torch.bool),
        lengths=torch.full((rows,), context),
        past=numbers(rows, context, len(data["past"])),
        known=numbers(rows, context, len(data["known"])),
        known_future=numbers(rows, horizon, len(data["known"])),
        static=numbers(rows, len(data["static"])),
        categories=torch.ones(rows, len(data["categories"]), dtype=torch.int64),
        gap=numbers(rows, data["lead"] - 1, channels),
        target=numbers(rows, horizon, channels),
        target_observed=torch.ones(rows, horizon, channels, dtype=torch.bool),
        location=torch.zeros(rows, channels, dtype=torch.float64),
        scale=torch.ones(rows, channels, dtype=torch.float64),
        naive_error=torch.ones(rows, channels, dtype=torch.float64),
        series=torch.zeros(rows, dtype=torch.int64),
        cuts=torch.full((rows,), context),
        naive=numbers(rows, horizon, channels),
    )


def network(
    data: dict[str, Any],
    mode: Any = "direct",
    encoder: type[Encoder] = GRU,
    *,
    head: Any = "point",
    normalisation: Any = "none",
    every_step: bool = False,
    identity: int = 0,
    **choices: Any,
) -> ForecastNetwork:
    """Return a small network in float64 and evaluation mode."""
    torch.manual_seed(0)
    return (
        ForecastNetwork(
            EncoderFactory(partial(encoder, hidden_size=8, **choices)),
            data,
            make_head(head, "mse", QUANTILES),
            mode,
            ModeOptions(dropout=0.0, segment=4, embedding_size=8, every_step=every_step, paths=50),
            normalisation,
            identity,
        )
        .double()
        .eval()
    )
