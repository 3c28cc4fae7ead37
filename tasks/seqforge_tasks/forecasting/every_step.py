"""Whole series in one window, where every step is a cut-off of its own."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from seqforge_tasks.forecasting.batch import ForecastBatch


def every_target(batch: ForecastBatch, lead: int, horizon: int) -> tuple[Tensor, Tensor]:
    """Return the horizon of each step of the context, and where it was observed.

    Args:
        batch: Windows with full contexts.
        lead: Steps from a cut-off to the first of its horizon.
        horizon: `H`, at most the batch's.

    Returns:
        `(B, L, H, K)` each.
    """
    steps = batch.context.size(1)
    following = torch.cat([batch.context, batch.gap, batch.target], dim=1)[:, lead:]
    # Between context and horizon nothing is missing: other data are refused when this is built.
    gap = torch.ones_like(batch.gap, dtype=torch.bool)
    seen = torch.cat([batch.observed, gap, batch.target_observed], dim=1)[:, lead:]
    target, observed = (
        each.unfold(1, horizon, 1)[:, :steps].movedim(-1, 2) for each in (following, seen)
    )
    return target, observed


def every_window(batch: ForecastBatch, width: int, season: int, lead: int) -> ForecastBatch:
    """Return a window of its own for every step of each context, as the baselines read them.

    Args:
        batch: Windows with full contexts, without covariates.
        width: Steps of the new contexts; before a series begins there are zeros, its mean.
        season: Of the seasonal naive forecast that goes with each window.
        lead: Steps from a cut-off to the first of its horizon.

    Returns:
        `B * L` windows, those of one series after the other; their contexts are views of one copy.
    """
    rows, steps, channels = batch.context.shape
    horizon = batch.target.size(1)
    target, observed = every_target(batch, lead, horizon)
    # (B, L, K) -> (B, L, K, width) -> (B * L, width, K)
    before = F.pad(batch.context, (0, 0, width - 1, 0)).unfold(1, width, 1)
    context = before.movedim(-1, 2).reshape(rows * steps, width, channels)
    return replace(
        batch.rows(torch.arange(rows, device=batch.ids.device).repeat_interleave(steps)),
        context=context,
        observed=torch.ones_like(context, dtype=torch.bool),
        lengths=batch.lengths.new_full((rows * steps,), width),
        past=context[:, :, :0],
        known=context[:, :, :0],
        target=target.flatten(0, 1),
        target_observed=observed.flatten(0, 1),
        naive=_every_naive(batch.context, horizon, season, lead),
    )


def _every_naive(context: Tensor, horizon: int, season: int, lead: int) -> Tensor:
    """Return the seasonal naive forecast from every step `(B * L, H, K)`.

    In the first season the first value stands for those before it.
    """
    cuts = torch.arange(context.size(1), device=context.device).unsqueeze(1)  # (L, 1)
    ahead = torch.arange(lead, lead + horizon, device=context.device)  # (H,)
    seasons = torch.div(ahead + season - 1, season, rounding_mode="floor")  # gone back, at least 1
    place = (cuts + ahead - seasons * season).clamp(min=0)  # (L, H)
    return context[:, place].flatten(0, 1)
