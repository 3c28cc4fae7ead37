"""`StepLog`: every training step of seqforge in the log that peers write too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from benchmarks.peers.step_lines import StepLines
from seqforge.training import SequenceModule


class StepLog(pl.Callback):
    """Writes when each step ended, how many items its batch had, and the loss.

    Args:
        log: The file.
    """

    def __init__(self, log: str) -> None:
        self._path = Path(log)  # Lightning gives callbacks a `log` of its own
        self._lines: StepLines | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write what is trained, and with what."""
        self._lines = StepLines(self._path)
        parameters = sum(each.numel() for each in pl_module.parameters() if each.requires_grad)
        self._lines.begin(parameters, torch=torch.__version__, lightning=pl.__version__)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Write the step."""
        assert isinstance(pl_module, SequenceModule)
        assert self._lines is not None
        self._lines.step(batch.size()[0], pl_module.step_loss["loss"])
