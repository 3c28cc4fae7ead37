"""What a mode of forecasting is: how a recurrent encoder comes from a context to a horizon."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from torch import Tensor, cat, nn

from seqforge.errors import UserError
from seqforge.state import State
from seqforge_tasks.forecasting.heads.base import Head, Predictive
from seqforge_tasks.forecasting.window import Window


class Prediction(NamedTuple):
    """A forecast.

    Attributes:
        predictive: Of `(B, H, K)` values, in the scale of the data module.
    """

    predictive: Predictive


class Mode(nn.Module, ABC):
    """Reads a window and predicts its horizon; the encoder is whichever the user has chosen.

    Class attributes:
        any_horizon: Whether horizons longer than in training can be forecast.
        dense: Whether the mode can predict from every step of the context.
    """

    any_horizon: ClassVar[bool] = False
    dense: ClassVar[bool] = False

    @abstractmethod
    def taught(self, window: Window, target: Tensor, observed: Tensor) -> Tensor:
        """Return the head's numbers for the horizon `(B, H, K, size)`, as they are trained.

        Args:
            window: What is read.
            target: `(B, H, K)` in the window's scale, for modes that read what came before; 0 where
                it is missing.
            observed: `(B, H, K)` bool.
        """

    @abstractmethod
    def forecast(self, window: Window, head: Head, horizon: int) -> Predictive:
        """Forecast freely: nothing behind the cut-off is read but what is known in advance.

        Args:
            window: What is read.
            head: Makes predictions of the mode's numbers.
            horizon: `H`; the trained one, unless `any_horizon`.

        Returns:
            Predictions of `(B, H, K)` values, in the scale of the data module.
        """

    def start(self, batch_size: int) -> State:
        """Return the state in which a series begins, for modes that are `dense`."""
        raise self._not_dense()

    def every_step(self, window: Window, state: State) -> tuple[Tensor, State]:
        """Return the head's numbers for the horizon of each step `(B, L, H, K, size)`.

        Args:
            window: What is read; every step of it in turn is a cut-off.
            state: The state to begin with; None begins anew.

        Returns:
            The numbers, and the state behind the context.

        Raises:
            UserError: The mode does not predict from every step.
        """
        raise self._not_dense()

    def _not_dense(self) -> UserError:
        return UserError(
            f"mode {type(self).__name__.lower()} does not predict from every step",
            where="model.task.every_step",
            accepted=("direct", "recursive"),
            todo="choose another mode, or leave out every_step",
        )


def step_inputs(*parts: Tensor, static: Tensor) -> Tensor:
    """Join features of each step, and those of the series, repeated.

    Args:
        parts: `(B, T, …)` each.
        static: `(B, S)`.

    Returns:
        `(B, T, I)`.
    """
    time = parts[0].size(1)
    return cat([*parts, static.unsqueeze(1).expand(-1, time, -1)], dim=2)
