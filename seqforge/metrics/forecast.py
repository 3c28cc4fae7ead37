"""How good forecasts are, over a whole evaluation: exact whatever the batches and the ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from seqforge.metrics.forecast_errors import pinball, symmetric_percentage_error

QUANTILES: Final = tuple(level / 100 for level in range(5, 100, 5))
"""Levels whose mean pinball loss approximates the CRPS: 0.05, 0.1, … 0.95."""

_SUMS: Final = (
    *("count", "squared", "absolute", "target", "target_squared", "target_absolute"),
    *("windows", "percentage", "scaled_windows", "scaled", "left_out", "pinball", "pinball_data"),
)


class Spread(NamedTuple):
    """What a forecast says beside its point, in the units of the errors.

    Attributes:
        quantiles: `(B, H, K, Q)`, at the levels of the scores.
        low: Lower bounds of the intervals `(B, H, K, N)`; None without intervals.
        high: Their upper bounds.
    """

    quantiles: Tensor
    low: Tensor | None = None
    high: Tensor | None = None


class ForecastScores(Metric):
    """Measures of forecasts, made of sums over all observed target values.

    Sums are in float64 where the device has it, so neither batch size nor ranks change a measure
    beyond rounding. In the units of the errors, over all values: MSE, MAE, RMSE; NRMSE, the RMSE
    over the standard deviation of the targets; CRPS, twice the mean pinball loss over the quantile
    levels (Gneiting and Raftery 2007), for a point forecast the MAE; the mean width of the
    intervals, and the percentage of values within them. Whatever the units of the errors, in those
    of the data: sMAPE as M4 has it, and the weighted quantile loss, the CRPS over the mean absolute
    target. MASE (Hyndman and Koehler 2006) is each window's mean absolute error over the naive
    forecast's in training. MASE and sMAPE are means over windows, as M4's are over series.

    Args:
        levels: Intervals' levels in percent, such as 80.
        quantiles: Levels of the quantiles that are given.
    """

    higher_is_better = None
    is_differentiable = False
    full_state_update = False
    sums: Tensor
    covered: Tensor
    widths: Tensor

    def __init__(
        self, levels: Sequence[float] = (), quantiles: Sequence[float] = QUANTILES
    ) -> None:
        super().__init__()
        self.levels = tuple(levels)
        self.quantiles = tuple(quantiles)
        # Apple's GPUs have no float64; everything else does.
        exact = torch.float32 if torch.backends.mps.is_available() else torch.float64
        self.add_state("sums", torch.zeros(len(_SUMS), dtype=exact), "sum")
        self.add_state("covered", torch.zeros(1 + len(self.levels), dtype=exact), "sum")
        self.add_state("widths", torch.zeros(len(self.levels), dtype=exact), "sum")

    def update(
        self,
        forecast: Tensor,
        target: Tensor,
        observed: Tensor,
        *,
        spread: Spread | None = None,
        naive_error: Tensor | None = None,
        location: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> None:
        """Add a batch of windows.

        Args:
            forecast: Point forecasts `(B, H, K)`.
            target: `(B, H, K)`, in the same units; anything where it is not observed.
            observed: Which targets count `(B, H, K)`, bool.
            spread: Quantiles and intervals; None: the forecast is a point.
            naive_error: Mean absolute error of the seasonal naive forecast in training `(B, K)`,
                in the same units; windows where it is not above 0 have no MASE and are counted.
                None: unknown.
            location: What 0 means in the units of the data `(B, K)`; None: 0.
            scale: What 1 means there `(B, K)`; None: 1.
        """
        forecast, target = (self._exact(each, observed) for each in (forecast, target))
        error = forecast - target
        shift = torch.zeros_like(target[:, :1]) if location is None else self._unsqueezed(location)
        unit = torch.ones_like(shift) if scale is None else self._unsqueezed(scale)
        data = torch.where(observed, target * unit + shift, 0)
        percentage = symmetric_percentage_error(
            torch.where(observed, forecast * unit + shift, 0), data
        )
        losses = self._pinball(error, target, spread, observed)
        steps = observed.sum(dim=1)  # (B, K)
        seen = steps > 0
        mean = steps.clamp(min=1)
        scaled = self._scaled(error.abs().sum(dim=1) / mean, seen, naive_error)
        found: dict[str, Tensor] = {
            "count": observed.sum(),
            "squared": error.square().sum(),
            "absolute": error.abs().sum(),
            "target": target.sum(),
            "target_squared": target.square().sum(),
            "target_absolute": data.abs().sum(),
            "windows": seen.sum(),
            "percentage": (percentage.sum(dim=1) / mean).sum(),
            "scaled_windows": scaled[0],
            "scaled": scaled[1],
            "left_out": scaled[2],
            "pinball": losses.sum(),
            "pinball_data": (losses * unit).sum(),
        }
        # Never in place: what inference mode has reset could not be changed outside of it.
        added = torch.stack([found[name].to(self.sums.dtype) for name in _SUMS])
        self.sums = self.sums + added
        if spread is not None and spread.low is not None and spread.high is not None:
            self._add_intervals(spread.low, spread.high, target, observed)

    def compute(self) -> dict[str, float]:
        """Return the measures of all ranks' windows; those that nothing was given for are left out.

        Returns:
            "mse", "mae", "rmse", "nrmse", "smape" (percent), "crps", "wql"; "mase" and
            "mase_left_out", the number of windows without one; "coverage_80" (percent) and
            "width_80" for each level.
        """
        sums = dict(zip(_SUMS, self.sums.tolist(), strict=True))
        count = sums["count"]
        if not count:
            return {}
        mse = sums["squared"] / count
        mean = sums["target"] / count
        variance = max(sums["target_squared"] / count - mean**2, 0.0)
        scores = {
            "mse": mse,
            "mae": sums["absolute"] / count,
            "rmse": math.sqrt(mse) if mse >= 0 else math.nan,
            "smape": sums["percentage"] / sums["windows"],
            "crps": sums["pinball"] / count,
        }
        if variance > 0:
            scores["nrmse"] = scores["rmse"] / math.sqrt(variance)
        if sums["target_absolute"]:
            scores["wql"] = sums["pinball_data"] / sums["target_absolute"]
        if sums["scaled_windows"]:
            scores["mase"] = sums["scaled"] / sums["scaled_windows"]
        if sums["scaled_windows"] or sums["left_out"]:
            scores["mase_left_out"] = sums["left_out"]
        held, *covered = self.covered.tolist()
        for level, inside, width in zip(self.levels, covered, self.widths.tolist(), strict=True):
            if held:
                scores[f"coverage_{level:g}"] = 100 * inside / held
                scores[f"width_{level:g}"] = width / held
        return scores

    def finish(self) -> dict[str, float]:
        """Return what `compute` does, on every rank, also one without a window; begin anew."""
        if not self.update_called:  # or the library warns: a rank may have nothing to score
            nothing = torch.zeros(0, 1, 1, device=self.device)
            self.update(nothing, nothing, nothing.bool())
        scores: dict[str, float] = self.compute()
        self.reset()
        return scores

    def _exact(self, values: Tensor, observed: Tensor) -> Tensor:
        return torch.where(observed, values.to(self.sums.dtype), 0)

    def _unsqueezed(self, values: Tensor) -> Tensor:
        return values.to(self.sums.dtype).unsqueeze(1)  # (B, 1, K)

    def _pinball(
        self, error: Tensor, target: Tensor, spread: Spread | None, observed: Tensor
    ) -> Tensor:
        """Return twice the mean pinball loss of each value `(B, H, K)`, 0 where not observed."""
        if spread is None:
            return error.abs()
        # Level by level: all of them in float64 would take twenty times the forecast's memory.
        total = torch.zeros_like(error)
        for number, level in enumerate(self.quantiles):
            quantile = self._exact(spread.quantiles[..., number], observed)
            total += pinball(target, quantile.unsqueeze(-1), [level])[..., 0]
        return 2 * total / len(self.quantiles)

    def _scaled(
        self, error: Tensor, seen: Tensor, naive_error: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return MASE's number of windows, its sum over them, and the windows left out."""
        if naive_error is None:
            nothing = error.new_zeros(())
            return nothing, nothing, nothing
        known = seen & (naive_error > 0)
        unit = torch.where(known, naive_error.to(error.dtype), 1)
        total = torch.where(known, error / unit, 0).sum()
        return known.sum(), total, (seen & ~known).sum()

    def _add_intervals(self, low: Tensor, high: Tensor, target: Tensor, observed: Tensor) -> None:
        mask = observed.unsqueeze(-1)
        low, high = (self._exact(each, mask) for each in (low, high))  # (B, H, K, N)
        value = target.unsqueeze(-1)
        inside = mask & (low <= value) & (value <= high)
        over = (0, 1, 2)
        held = observed.sum().reshape(1)
        self.covered = self.covered + torch.cat([held, inside.sum(dim=over)])
        self.widths = self.widths + (high - low).sum(dim=over)
