"""A single value for each step, without a spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from torch import Tensor
from torch.nn import functional as F

from seqforge.errors import UserError, closest_match
from seqforge_tasks.forecasting.heads.base import Head, Predictive
from seqforge_tasks.forecasting.heads.raw_numbers import precise

PointLoss = Literal["mse", "mae", "mixed", "huber"]
LOSSES: tuple[str, ...] = get_args(PointLoss)


class PointPredictive(Predictive):
    """A prediction that does not say how sure it is: all its quantiles are the value itself.

    Args:
        value: `(…)`.
        error: What the loss is: "mse", "mae", "mixed" or "huber".
        delta: Where Huber's loss turns from squared to absolute, in the scale of the data module.
    """

    def __init__(self, value: Tensor, error: PointLoss, delta: float) -> None:
        self.value = value
        self.error = error
        self.delta = delta

    def loss(self, target: Tensor) -> Tensor:
        """Return the squared, absolute, mixed or Huber's error of each value `(…)`."""
        if self.error == "mse":
            return F.mse_loss(self.value, target, reduction="none")
        if self.error == "mae":
            return F.l1_loss(self.value, target, reduction="none")
        if self.error == "mixed":
            error = target - self.value
            return (error.square() + error.abs()) / 2
        return F.huber_loss(self.value, target, reduction="none", delta=self.delta)

    def point(self) -> Tensor:
        """Return the value `(…)`."""
        return self.value

    def quantiles(self, levels: Sequence[float]) -> Tensor:
        """Return the value for each level `(…, Q)`."""
        return self.value.unsqueeze(-1).expand(*self.value.shape, len(levels))

    def sample(self, uniform: Tensor) -> Tensor:
        """Return the value `(…)`: there is nothing to draw."""
        return self.value


class PointHead(Head):
    """Predicts one value for each step.

    Args:
        loss: "mse" (the mean is best), "mae" (the median is), "mixed" (the mean of the two losses)
            or "huber" (squared for small errors, absolute for large ones; Huber 1964).
        delta: Error from which Huber's loss is absolute, in the scale of the data module; above 0.

    Raises:
        UserError: There is no such loss, or delta is not above 0.
    """

    size = 1
    spreads = False

    def __init__(self, loss: PointLoss = "mse", delta: float = 1.0) -> None:
        super().__init__()
        if loss not in LOSSES:
            raise UserError(
                f"no loss of a point forecast is named '{loss}'",
                where="model.task.error",
                accepted=LOSSES,
                closest=closest_match(loss, LOSSES),
            )
        if not delta > 0:
            raise UserError(
                f"Huber's loss cannot change over at an error of {delta}",
                where="delta",
                todo="give a number above 0",
            )
        self.loss: PointLoss = loss
        self.delta = delta

    def forward(self, raw: Tensor, location: Tensor, scale: Tensor) -> PointPredictive:
        """Return predictions `(…)`, from numbers `(…, 1)`."""
        value = location + scale * precise(raw)[..., 0]
        return PointPredictive(value, self.loss, self.delta)
