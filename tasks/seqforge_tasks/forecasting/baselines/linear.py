"""The linear baseline: one map from the context to the horizon, solved in closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from seqforge_tasks.forecasting.baselines.holdout import Holdout
from seqforge_tasks.forecasting.batch import ForecastBatch

STRENGTHS: Final = (1e-8, 1e-6, 1e-4, 1e-2, 1e-1, 1.0, 10.0)
"""Ridge penalties that are tried, as shares of the inputs' mean square."""

_ROWS: Final = 8192


class LinearBaseline(nn.Module):
    """Ridge regression of the horizon on the context, the same for all series and channels.

    The class of maps of DLinear and NLinear (Zeng et al. 2023): the former's moving averages are
    linear in the context, so its two layers are one map; the latter subtracts the last value
    before it and adds it behind. Whether to subtract, and the penalty, are chosen by the squared
    error on the last tenth of training; then all of training is fitted. Values that are missing
    are those before them; windows with an incomplete target are not fitted.

    Before `fit`, the forecast is the last value.

    Args:
        context: `L`.
        horizon: `H`.
    """

    weight: Tensor
    bias: Tensor
    subtracts: Tensor

    def __init__(self, context: int, horizon: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(context, horizon))
        self.register_buffer("bias", torch.zeros(horizon))
        self.register_buffer("subtracts", torch.ones(()))

    def forward(self, batch: ForecastBatch) -> Tensor:
        """Return forecasts `(B, H, K)`, in the scale of the network."""
        values = filled(batch).transpose(1, 2)  # (B, K, L)
        base = values[..., -1:] * self.subtracts.to(values.dtype)
        mapped = (values - base) @ self.weight.to(values.dtype) + self.bias.to(values.dtype)
        return (mapped + base).transpose(1, 2)

    @torch.no_grad()
    def fit(self, windows: Callable[[], Iterable[ForecastBatch]]) -> None:
        """Solve for the map in float64, from sums over all training windows.

        Args:
            windows: Gives the training windows from the beginning, in batches of any size; it is
                asked twice.
        """
        held = Holdout(self.bias.numel())
        for batch in windows():
            held.see(batch.series, batch.cuts)
        held.close()
        size = 1 + sum(self.weight.shape)
        early, middle, late = (torch.zeros(size, size, dtype=torch.float64) for _ in range(3))
        for batch in windows():
            parts = held.parts(batch.series, batch.cuts)
            for total, chosen in zip((early, middle, late), parts, strict=True):
                for rows in _rows(batch, chosen):
                    total += rows.T @ rows
        best = _best(early, late, len(self.weight))
        total = _subtracted(early + middle + late, best.subtracts, len(self.weight))
        found = _solved(total, best.strength, len(self.weight))
        self.bias.copy_(found[0])
        self.weight.copy_(found[1:])
        self.subtracts.fill_(float(best.subtracts))


class _Choice(NamedTuple):
    subtracts: bool
    strength: float


def filled(batch: ForecastBatch) -> Tensor:
    """Return contexts `(B, L, K)` that end at the right; values missing are those before them.

    Before the first value there is the first value; where nothing is known, 0.
    """
    steps = batch.context.size(1)
    place = torch.arange(steps, device=batch.context.device)
    shifted = place - (steps - batch.lengths.unsqueeze(1))  # (B, L)
    index = shifted.clamp(min=0).unsqueeze(-1).expand_as(batch.context)
    values, seen = batch.context.gather(1, index), batch.observed.gather(1, index)
    place = place.view(1, -1, 1).expand_as(seen)
    last = torch.where(seen, place, -1).cummax(dim=1).values
    first = torch.where(seen, place, steps - 1).amin(dim=1, keepdim=True)
    return values.gather(1, torch.where(last < 0, first, last))


def _rows(batch: ForecastBatch, chosen: Tensor) -> Iterator[Tensor]:
    """Yield `(N, 1 + L + H)` in float64: a 1, the context, the target."""
    if not chosen.any():
        return
    kept = batch.rows(chosen)
    complete = kept.target_observed.all(dim=1)  # (B, K)
    context = filled(kept).transpose(1, 2)[complete]
    target = kept.target.transpose(1, 2)[complete]
    for inputs, outputs in zip(context.split(_ROWS), target.split(_ROWS), strict=True):
        joined = torch.cat([torch.ones_like(inputs[:, :1]), inputs, outputs], dim=1)
        yield joined.cpu().double()


def _best(early: Tensor, late: Tensor, context: int) -> _Choice:
    """Return the choice that, fitted to the early windows, is best on the late ones."""
    if not early[0, 0] or not late[0, 0]:
        return _Choice(True, 0.1)  # nothing to choose by: the cautious one
    errors: dict[_Choice, float] = {}
    for subtracts in (True, False):
        first, last = (_subtracted(each, subtracts, context) for each in (early, late))
        inputs = 1 + context
        for strength in STRENGTHS:
            found = _solved(first, strength, context)
            square = last[inputs:, inputs:].trace() - 2 * (last[:inputs, inputs:] * found).sum()
            square += ((last[:inputs, :inputs] @ found) * found).sum()
            errors[_Choice(subtracts, strength)] = float(square)
    return min(errors, key=errors.__getitem__)


def _subtracted(sums: Tensor, subtracts: bool, context: int) -> Tensor:
    """Return the sums as they would be of windows whose last value is subtracted."""
    if not subtracts:
        return sums
    change = torch.eye(len(sums), dtype=sums.dtype)
    change[context, 1:] -= 1  # the row of the context's last value
    return change.T @ sums @ change


def _solved(sums: Tensor, strength: float, context: int) -> Tensor:
    """Return bias and weight `(1 + L, H)` of ridge regression; the bias costs nothing."""
    count = sums[0, 0].clamp(min=1)
    mean = sums[0, 1:] / count
    spread = sums[1:, 1:] - count * mean.outer(mean)
    inputs, both = spread[:context, :context], spread[:context, context:]
    penalty = strength * inputs.diagonal().mean().clamp(min=1e-12)
    weight = torch.linalg.solve(inputs + penalty * torch.eye(context, dtype=sums.dtype), both)
    bias = mean[context:] - mean[:context] @ weight
    return torch.cat([bias.unsqueeze(0), weight])
