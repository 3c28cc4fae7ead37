"""The network of a forecaster: description, normalisation, mode and head as one."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from seqforge.encoders import EncoderFactory
from seqforge.errors import UserError
from seqforge.state import State
from seqforge.task import Spec
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.every_step import every_target
from seqforge_tasks.forecasting.heads.base import Head, Predictive
from seqforge_tasks.forecasting.modes.kinds import ModeKind, ModeOptions, make_mode
from seqforge_tasks.forecasting.normalisation import Normalisation
from seqforge_tasks.forecasting.window import Description, Window, sizes_of, window_of


class Taught(NamedTuple):
    """What is predicted in training, and what it should have been.

    Attributes:
        predictive: Of `(B, H, K)` values; from every step: `(B, L, H, K)`.
        target: Of the same shape.
        observed: Of the same shape, bool; the rest does not count.
        state: Behind the context, where one is carried.
    """

    predictive: Predictive
    target: Tensor
    observed: Tensor
    state: State = None


class ForecastNetwork(nn.Module):
    """Reads windows and predicts what comes behind them.

    Args:
        encoders: Make the encoder.
        spec: The data module's.
        head: Turns numbers into predictions.
        mode: How the encoder comes from a context to a horizon.
        options: Of the mode.
        normalisation: Of each window.
        identity: Width of a learnt vector for each series; 0: none.

    Raises:
        UserError: What is asked for does not fit the data or the mode.
    """

    def __init__(
        self,
        encoders: EncoderFactory,
        spec: Spec,
        head: Head,
        mode: ModeKind,
        options: ModeOptions,
        normalisation: Normalisation,
        identity: int,
    ) -> None:
        super().__init__()
        self.normalisation = normalisation
        self.dense = options.every_step
        counts = [len(values) for values in spec["categories"].values()]
        self.description = Description(len(spec["static"]), counts, identity)
        self.sizes = sizes_of(spec, self.description.size, head.size)
        self.head = head
        self.mode = make_mode(mode, encoders, self.sizes, options)
        if self.dense or spec["carried"]:
            _require_dense(self, spec)

    def taught(self, batch: ForecastBatch, state: State) -> Taught:
        """Predict as in training, where a mode may read what came before each step.

        Args:
            batch: Windows.
            state: The carried state; None begins anew.
        """
        window = self.window(batch)
        if self.dense:
            raw, state = self.mode.every_step(window, state)
            location, scale = (part.unsqueeze(1) for part in window.frame)
            target, observed = every_target(batch, self.sizes.lead, raw.size(2))
            return Taught(self.head(raw, location, scale), target, observed, state)
        return Taught(self._guided(window, batch), batch.target, batch.target_observed)

    def tested(self, batch: ForecastBatch) -> Taught:
        """Predict the horizon as validation measures the loss of it.

        A recursive point forecast goes its own way. Of a recursive distribution the likelihood is
        asked, which is defined by the true values before each step.
        """
        if self.mode.any_horizon and not self.head.spreads:
            predictive = self.forecast(batch, batch.target.size(1))
        else:
            predictive = self._guided(self.window(batch), batch)
        return Taught(predictive, batch.target, batch.target_observed)

    def forecast(self, batch: ForecastBatch, horizon: int | None = None) -> Predictive:
        """Forecast `(B, H, K)` values freely, in the scale of the data module.

        Args:
            batch: Windows; their targets are not read.
            horizon: `H`; None: the trained one.

        Raises:
            UserError: The horizon is not the trained one, and the mode knows no other.
        """
        horizon = self.sizes.horizon if horizon is None else horizon
        if horizon != self.sizes.horizon and not self.mode.any_horizon:
            raise UserError(
                f"a horizon of {horizon} steps",
                where="horizon",
                accepted=(str(self.sizes.horizon),),
                todo="train with that data.horizon, or in mode recursive, which can go further",
            )
        return self.mode.forecast(self.window(batch), self.head, horizon)

    def every_forecast(self, batch: ForecastBatch) -> Predictive:
        """Return the forecasts from every step of each context: of `(B * L, H, K)` values.

        The same rows as those of `every_window`.
        """
        window = self.window(batch)
        raw, _ = self.mode.every_step(window, None)  # (B, L, H, K, size)
        steps = raw.size(1)
        location, scale = (part.repeat_interleave(steps, dim=0) for part in window.frame)
        predictive: Predictive = self.head(raw.flatten(0, 1), location, scale)
        return predictive

    def _guided(self, window: Window, batch: ForecastBatch) -> Predictive:
        target = window.frame.apply(batch.target) * batch.target_observed
        raw = self.mode.taught(window, target, batch.target_observed)
        predictive: Predictive = self.head(raw, *window.frame)
        return predictive

    def window(self, batch: ForecastBatch) -> Window:
        """Return a batch as the mode reads it."""
        return window_of(batch, self.normalisation, self.sizes.masked, self.description)


def _require_dense(network: ForecastNetwork, spec: Spec) -> None:
    reasons = {
        "data.carried carries a state on, and only every_step trains on all of it": (
            not network.dense
        ),
        "every_step would read known covariates of steps between the cut-offs": bool(
            spec["known"] and not network.mode.any_horizon
        ),
        f"normalisation '{network.normalisation}' of a window knows what comes behind its steps": (
            network.normalisation != "none"
        ),
        "every_step needs contexts that are full, without missing values": bool(spec["missing"]),
    }
    for reason, wrong in reasons.items():
        if wrong:
            raise UserError(
                reason,
                where="model.task.every_step",
                todo="set every_step: true, normalisation: none, and complete data; or neither "
                "every_step nor data.carried",
            )
    if not network.mode.dense:
        network.mode.start(1)
