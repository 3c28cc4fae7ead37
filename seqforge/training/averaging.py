"""Exponential moving average of the weights (Polyak and Juditsky 1992; EMA as in Adam's paper)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Keeps a moving average of a network's parameters beside them.

    The decay is warmed up, `min(decay, (1 + n) / (10 + n))` after n steps, so that the average is
    of use from the first epoch on.

    Args:
        decay: Share of the old average kept at each step; 0 switches averaging off.

    Raises:
        ValueError: `decay` is not in [0, 1).
    """

    def __init__(self, decay: float) -> None:
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"the decay of the weight average must be in [0, 1), not {decay}")
        self.decay = decay
        self.steps = 0
        self._average: dict[str, Tensor] = {}

    def update(self, network: nn.Module) -> None:
        """Take in the weights after an optimiser step."""
        if self.decay == 0.0:
            return
        # Under every name: a checkpoint holds a shared weight once for each.
        weights = dict(network.named_parameters(remove_duplicate=False))
        if not self._average:
            self._average = {name: weight.detach().clone() for name, weight in weights.items()}
        # An average that was loaded is still where the checkpoint was read.
        self._average = {name: self._average[name].to(weight) for name, weight in weights.items()}
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        torch._foreach_lerp_(
            list(self._average.values()), [w.detach() for w in weights.values()], 1.0 - decay
        )

    @contextmanager
    def applied(self, network: nn.Module) -> Iterator[None]:
        """Run the network with its averaged weights, then put its own back."""
        if not self._average:
            yield
            return
        own = {name: weight.detach().clone() for name, weight in network.named_parameters()}
        _copy_into(network, self._average)
        try:
            yield
        finally:
            _copy_into(network, own)

    def state_dict(self) -> dict[str, object]:
        """Return the average as plain values; empty where there is none."""
        return {"steps": self.steps, "weights": dict(self._average)} if self._average else {}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Take up the average of a checkpoint."""
        if self.decay == 0.0 or not state:
            return
        steps, weights = state["steps"], state["weights"]
        if not isinstance(steps, int) or not isinstance(weights, dict):
            raise ValueError("the checkpoint's weight average is damaged")
        self.steps = steps
        self._average = {name: weight.clone() for name, weight in weights.items()}


@torch.no_grad()
def _copy_into(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    for name, parameter in network.named_parameters():
        parameter.copy_(weights[name])
