"""Callbacks that say how fast a run of seqforge learns, and what its first steps come to.

`StepClock`: how many items it learns from in a second, warm-up left out. `LossTrace`: where it
begins, and the losses from there.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from seqforge.training import SequenceModule


class StepClock(pl.Callback):
    """Measures from the beginning of one training step to that of another; writes it as JSON.

    What lies between two steps, such as loading the next batch, is part of the time; validation
    between epochs would be too, so a run that is timed has none.

    Args:
        report: A line is added to this file when training ends.
        warm: Steps that are not counted.
        seconds: Training ends so long after the first counted step; 0: it goes on to its end.

    Raises:
        ValueError: `warm` or `seconds` is negative.
    """

    def __init__(self, report: str, warm: int = 5, seconds: float = 0.0) -> None:
        if warm < 0 or seconds < 0:
            raise ValueError("warm and seconds must not be negative")
        self.report = Path(report)
        self.warm = warm
        self.seconds = seconds
        self._began: list[float] = []
        self._sizes: list[int] = []

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note the time and the batch's size; stop when the time is over."""
        self._began.append(time.perf_counter())
        self._sizes.append(batch.size()[0])
        counted = self._began[self.warm :]
        if self.seconds and counted and counted[-1] - counted[0] >= self.seconds:
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the report; its last step only ends the time."""
        began, sizes = self._began[self.warm :], self._sizes[self.warm : -1]
        seconds = began[-1] - began[0]
        line = {
            "tokens": sum(sizes),
            "seconds": seconds,
            "steps": len(sizes),
            "tokens_per_second": sum(sizes) / seconds,
        }
        with self.report.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


class LossTrace(pl.Callback):
    """Keeps the weights that a run begins with and the loss of each of its first steps.

    Args:
        weights: The task's state dict is saved here before the first step.
        report: The losses are written here, one line of JSON, when the last of them is known.
        steps: How many; training ends after them.
    """

    def __init__(self, weights: str, report: str, steps: int) -> None:
        self.weights = Path(weights)
        self.report = Path(report)
        self.steps = steps
        self._losses: list[float] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the weights."""
        assert isinstance(pl_module, SequenceModule)
        torch.save(pl_module.task.state_dict(), self.weights)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note the loss; stop after the last one."""
        assert isinstance(pl_module, SequenceModule)
        self._losses.append(pl_module.step_loss["loss"])
        if len(self._losses) >= self.steps:
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the losses."""
        self.report.write_text(json.dumps({"losses": self._losses}) + "\n", encoding="utf-8")
