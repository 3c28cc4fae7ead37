"""Learning rate schedules, by optimiser step."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau


class Schedule(ABC):
    """Says how the learning rate goes on from the optimiser's own value, the peak.

    Attributes:
        needs_steps: Whether the schedule depends on how many steps the run will take.
    """

    needs_steps: ClassVar[bool] = True

    @abstractmethod
    def scheduler(
        self, optimizer: torch.optim.Optimizer, steps: int, monitor: tuple[str, str]
    ) -> dict[str, Any]:
        """Return Lightning's scheduler configuration.

        Args:
            optimizer: Its learning rates are the peak.
            steps: Optimiser steps planned for the whole run.
            monitor: Metric and mode of the task, for schedules that watch one.
        """


class Cosine(Schedule):
    """Linear warm-up, then half a cosine down (Loshchilov and Hutter 2017, without restarts).

    Args:
        warmup: Share of all steps in which the rate rises from nearly 0 to its peak.
        floor: Share of the peak at which the run ends.

    Raises:
        ValueError: A share is outside 0 to 1.
    """

    def __init__(self, warmup: float = 0.02, floor: float = 0.01) -> None:
        _require_share(warmup=warmup, floor=floor)
        self.warmup = warmup
        self.floor = floor

    def factor(self, step: int, steps: int) -> float:
        """Return the factor on the peak rate at optimiser step `step` of `steps`."""
        rising = math.ceil(self.warmup * steps)
        if step < rising:
            return (step + 1) / (rising + 1)
        fraction = min(1.0, (step - rising) / max(1, steps - rising))
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * fraction))

    def scheduler(
        self, optimizer: torch.optim.Optimizer, steps: int, monitor: tuple[str, str]
    ) -> dict[str, Any]:
        """Return Lightning's scheduler configuration; see `Schedule.scheduler`."""
        scheduler = LambdaLR(optimizer, lambda step: self.factor(step, steps))
        return {"scheduler": scheduler, "interval": "step"}


class Constant(Schedule):
    """Linear warm-up, then the peak rate to the end.

    Args:
        warmup: Number of steps in which the rate rises.

    Raises:
        ValueError: `warmup` is negative.
    """

    needs_steps: ClassVar[bool] = False

    def __init__(self, warmup: int = 0) -> None:
        if warmup < 0:
            raise ValueError(f"warmup must be at least 0 steps, not {warmup}")
        self.warmup = warmup

    def scheduler(
        self, optimizer: torch.optim.Optimizer, steps: int, monitor: tuple[str, str]
    ) -> dict[str, Any]:
        """Return Lightning's scheduler configuration; see `Schedule.scheduler`."""
        scheduler = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (self.warmup + 1)))
        return {"scheduler": scheduler, "interval": "step"}


class OneCycle(Schedule):
    """One cycle up and down, momentum the other way (Smith and Topin 2018).

    Args:
        warmup: Share of all steps in which the rate rises.
        start_divisor: The peak over the first rate.
        end_divisor: The first rate over the last one.

    Raises:
        ValueError: `warmup` is outside 0 to 1.
    """

    def __init__(
        self, warmup: float = 0.3, start_divisor: float = 25.0, end_divisor: float = 1e4
    ) -> None:
        _require_share(warmup=warmup)
        self.warmup = warmup
        self.start_divisor = start_divisor
        self.end_divisor = end_divisor

    def scheduler(
        self, optimizer: torch.optim.Optimizer, steps: int, monitor: tuple[str, str]
    ) -> dict[str, Any]:
        """Return Lightning's scheduler configuration; see `Schedule.scheduler`."""
        has_momentum = "momentum" in optimizer.defaults or "betas" in optimizer.defaults
        scheduler = OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in optimizer.param_groups],
            # One step more than planned: the scheduler is also stepped after the last one.
            total_steps=steps + 1,
            pct_start=self.warmup,
            div_factor=self.start_divisor,
            final_div_factor=self.end_divisor,
            cycle_momentum=has_momentum,
        )
        return {"scheduler": scheduler, "interval": "step"}


class Plateau(Schedule):
    """Cut the rate when the task's monitored metric has stopped getting better.

    Args:
        factor: What the rate is multiplied by.
        patience: Validations without a better value before the rate is cut.

    Raises:
        ValueError: `factor` is not between 0 and 1.
    """

    needs_steps: ClassVar[bool] = False

    def __init__(self, factor: float = 0.5, patience: int = 2) -> None:
        _require_share(factor=factor)
        self.factor = factor
        self.patience = patience

    def scheduler(
        self, optimizer: torch.optim.Optimizer, steps: int, monitor: tuple[str, str]
    ) -> dict[str, Any]:
        """Return Lightning's scheduler configuration; see `Schedule.scheduler`."""
        metric, mode = monitor
        if mode not in ("min", "max"):
            raise ValueError(f"the monitor's mode must be 'min' or 'max', not {mode!r}")
        scheduler = ReduceLROnPlateau(
            optimizer,
            mode="min" if mode == "min" else "max",
            factor=self.factor,
            patience=self.patience,
        )
        # Never stepped by Lightning, which leaves it out at the end of an epoch that was resumed in
        # its middle: see `step_plateaus`.
        return {
            "scheduler": scheduler,
            "interval": "epoch",
            "frequency": sys.maxsize,
            "monitor": metric,
        }


def step_plateaus(trainer: pl.Trainer, metrics: Mapping[str, float]) -> None:
    """Show the schedules that watch a metric its value, once for each validation.

    Args:
        trainer: Whose schedules.
        metrics: The validation's results, by the names they are logged under.
    """
    for config in trainer.lr_scheduler_configs:
        value = metrics.get(config.monitor or "")
        if isinstance(config.scheduler, ReduceLROnPlateau) and value is not None:
            config.scheduler.step(value)


def _require_share(**values: float) -> None:
    for name, value in values.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} must lie between 0 and 1, not {value}")
