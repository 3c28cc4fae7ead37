"""The measures of the network beside those of the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import torch
from torch import Tensor, nn

from seqforge.errors import UserError, closest_match
from seqforge.metrics import QUANTILES, ForecastScores, Spread, overall_weighted_average
from seqforge.task import Table
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.heads.base import Predictive

Units = Literal["data", "scaled"]

MODELS: Final = {"network": "network", "seasonal_naive": "seasonal naive", "linear": "linear"}
"""The columns of the table, by the names that measures begin with."""

TITLES: Final = {
    "mse": "MSE",
    "mae": "MAE",
    "rmse": "RMSE",
    "nrmse": "NRMSE",
    "mase": "MASE",
    "smape": "sMAPE %",
    "owa": "OWA",
    "crps": "CRPS",
    "wql": "WQL",
}
"""The first rows of the table, by the names of the measures."""

COMPARED: Final = ("mse", "mae", "owa")
"""What is logged of the baselines."""

LEFT_OUT: Final = "mase_left_out"


class ForecastTable(nn.Module):
    """Scores an evaluation's forecasts, and the baselines' of the same windows beside them.

    All measures are the same on all ranks, and described at `ForecastScores`. OWA stands only where
    the batches bring Naive2.

    Args:
        units: Whether errors are told in the units of the "data" or "scaled" as the network sees
            them. sMAPE and weighted quantile loss are of the data always.
        levels: Intervals that are measured, in percent.
        quantiles: Levels whose quantiles make up the CRPS.

    Raises:
        UserError: There are no such units.
    """

    def __init__(
        self,
        units: Units = "data",
        levels: Sequence[float] = (),
        quantiles: Sequence[float] = QUANTILES,
    ) -> None:
        super().__init__()
        if units not in ("data", "scaled"):
            raise UserError(
                f"measures have no units '{units}'",
                where="model.task.units",
                accepted=("data", "scaled"),
                closest=closest_match(units, ("data", "scaled")),
            )
        self.units: Units = units
        self.levels = tuple(levels)
        self.quantiles = tuple(quantiles)
        self.network = ForecastScores(self.levels, self.quantiles)
        self.seasonal_naive = ForecastScores()
        self.linear = ForecastScores()
        self.naive2 = ForecastScores()
        self._found: dict[str, dict[str, float]] = {name: {} for name in MODELS}

    def update(
        self,
        batch: ForecastBatch,
        predictive: Predictive,
        intervals: tuple[Tensor, Tensor] | None,
        linear: Tensor | None,
    ) -> None:
        """Add windows; those that calibrate intervals do not count.

        Args:
            batch: The windows, with their targets.
            predictive: The network's forecast of `(B, H, K)` values.
            intervals: Bounds `(B, H, K, N)` at the levels; None without.
            linear: The linear baseline's forecast `(B, H, K)`; None without.
        """
        told = self._told(batch)
        bounds = (None, None) if intervals is None else tuple(map(told.values, intervals))
        spread = Spread(told.values(predictive.quantiles(self.quantiles)), *bounds)
        self._add(self.network, told, batch, predictive.point(), spread)
        for scores, forecast in (
            (self.seasonal_naive, batch.naive),
            (self.linear, linear),
            (self.naive2, batch.naive2),
        ):
            if forecast is not None:
                self._add(scores, told, batch, forecast, None)

    def finish(self) -> dict[str, float]:
        """Return all measures, and begin anew. All processes must call it.

        Returns:
            The network's by their names, such as "mae", "mase" and "coverage_80"; of the
            baselines' squared and absolute errors and OWA, with "seasonal_naive_" and "linear_"
            before them: `table` has them all. What could not be measured is absent.
        """
        reference = self.naive2.finish()
        self._found = {
            "network": _with_owa(self.network.finish(), reference),
            "seasonal_naive": _with_owa(self.seasonal_naive.finish(), reference),
            "linear": _with_owa(self.linear.finish(), reference),
        }
        return {
            name if model == "network" else f"{model}_{name}": value
            for model, scores in self._found.items()
            for name, value in scores.items()
            if name != LEFT_OUT and (model == "network" or name in COMPARED)
        }

    def table(self) -> Table:
        """Return the last measures: a column for each model, blank where one does not apply."""
        titles = dict(TITLES)
        for level in self.levels:
            titles[f"coverage_{level:g}"] = f"in {level:g} %"
            titles[f"width_{level:g}"] = f"width {level:g} %"
        models = [model for model in MODELS if self._found[model]]
        rows = [
            [title, *(_shown(self._found[model].get(name)) for model in models)]
            for name, title in titles.items()
            if any(name in self._found[model] for model in models)
        ]
        unit = "units of the data" if self.units == "data" else "units of the scaled data"
        return Table(["", *(MODELS[model] for model in models)], rows, f"errors in {unit}")

    def notes(self) -> list[str]:
        """Return what to know of the last measures: which baselines win, and what MASE left out."""
        network = self._found["network"]
        if not network:
            return []
        better = [
            f"{title} ({_shown(self._found[model]['mae'])})"
            for model, title in MODELS.items()
            if self._found[model].get("mae", float("inf")) < network["mae"]
        ]
        lines = []
        if better:
            shown = _shown(network["mae"])
            lines.append(f"MAE: the network ({shown}) is worse than {' and '.join(better)}")
        if network.get(LEFT_OUT):
            lines.append(
                f"MASE leaves out {network[LEFT_OUT]:.0f} windows of series whose seasonal naive "
                "error in training is 0 or not known"
            )
        return lines

    def _told(self, batch: ForecastBatch) -> _Told:
        exact = self.network.sums.dtype
        location, scale = batch.location.to(exact), batch.scale.to(exact)
        if self.units == "data":
            return _Told(location, scale, None, None)
        return _Told(torch.zeros_like(location), torch.ones_like(scale), location, scale)

    def _add(
        self,
        scores: ForecastScores,
        told: _Told,
        batch: ForecastBatch,
        forecast: Tensor,
        spread: Spread | None,
    ) -> None:
        observed = batch.target_observed
        if batch.calibration is not None:
            observed = observed & ~batch.calibration.view(-1, 1, 1)
        scores.update(
            told.values(forecast),
            told.values(batch.target),
            observed,
            spread=spread,
            naive_error=batch.naive_error * told.scale,
            location=told.data_location,
            scale=told.data_scale,
        )


class _Told(NamedTuple):
    """How values are told: in which units, and what those are in the data.

    Attributes:
        location: What 0 of the network's scale is in the units of the errors (B, K).
        scale: What 1 is.
        data_location: What 0 of the errors' units is in those of the data (B, K); None: the same.
        data_scale: What 1 is.
    """

    location: Tensor
    scale: Tensor
    data_location: Tensor | None
    data_scale: Tensor | None

    def values(self, scaled: Tensor) -> Tensor:
        """Return values `(B, H, K, …)` of the network's scale in the units of the errors."""
        shape = (len(self.scale), 1, -1, *[1] * (scaled.dim() - 3))
        return scaled.to(self.scale.dtype) * self.scale.view(shape) + self.location.view(shape)


def _with_owa(scores: dict[str, float], reference: Mapping[str, float]) -> dict[str, float]:
    """Add OWA where the reference has something to divide by."""
    if all(reference.get(name) and name in scores for name in ("smape", "mase")):
        scores["owa"] = overall_weighted_average(
            scores["smape"], scores["mase"], reference["smape"], reference["mase"]
        )
    return scores


def _shown(value: float | None) -> str:
    """Return a number with four digits, large ones in full; nothing for None."""
    if value is None:
        return ""
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
