"""`StepClock`: how many items a run of seqforge learns from in a second, warm-up left out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


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
