"""What a head makes of the network's numbers: a prediction that knows how sure it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn


class Predictive(ABC):
    """What is predicted of each target value, tensors of the target's shape `(…)`."""

    @abstractmethod
    def loss(self, target: Tensor) -> Tensor:
        """Return the loss of each value `(…)`.

        Args:
            target: `(…)`, in the scale of the network; finite also where it will be masked.
        """

    @abstractmethod
    def point(self) -> Tensor:
        """Return the best single guess of each value `(…)`."""

    @abstractmethod
    def quantiles(self, levels: Sequence[float]) -> Tensor:
        """Return quantiles `(…, Q)`, never decreasing along the last dimension.

        Args:
            levels: `Q` probabilities between 0 and 1, in increasing order.
        """

    @abstractmethod
    def sample(self, uniform: Tensor) -> Tensor:
        """Return one value each `(…)`, drawn from what is predicted.

        Args:
            uniform: `(2, …)`, independent random numbers from 0 to 1, on any device.
        """


class Head(nn.Module, ABC):
    """Turns the network's numbers into predictions.

    Attributes:
        size: Numbers that are needed for each target value.
        spreads: Whether predictions have a spread, so that quantiles differ.
    """

    size: int
    spreads: bool = True

    @abstractmethod
    def forward(self, raw: Tensor, location: Tensor, scale: Tensor) -> Predictive:
        """Return predictions in the scale of the data module.

        Args:
            raw: `(…, size)`, in the scale of the instance normalisation.
            location: What 0 is there; broadcasts to `(…)`.
            scale: What 1 is there, above 0; broadcasts to `(…)`.
        """
