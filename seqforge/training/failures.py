"""What can go wrong in training itself."""

from __future__ import annotations


class NonFiniteLoss(Exception):
    """The loss or its gradient is infinite or not a number.

    Args:
        loss: The step's loss.
        gradient_norm: The 2-norm of its gradient.
        step: Optimiser steps taken before; their weights are intact.
        epoch: Epochs completed before.
    """

    def __init__(self, loss: float, gradient_norm: float, step: int, epoch: int) -> None:
        self.loss = loss
        self.gradient_norm = gradient_norm
        self.step = step
        self.epoch = epoch
        super().__init__(
            f"the loss is {loss:.4g} and its gradient {gradient_norm:.4g} "
            f"at optimiser step {step} of epoch {epoch}: training stopped before using them"
        )
