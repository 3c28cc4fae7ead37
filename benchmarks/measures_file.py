"""`MeasuresFile`: what `seqforge test` has measured, as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytorch_lightning as pl


class MeasuresFile(pl.Callback):
    """Writes all measures of a test as one JSON object, unrounded.

    Args:
        report: A line is added to this file.
    """

    def __init__(self, report: str) -> None:
        self.report = Path(report)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write them."""
        measures = {name: value.item() for name, value in trainer.callback_metrics.items()}
        with self.report.open("a", encoding="utf-8") as file:
            file.write(json.dumps(measures) + "\n")
