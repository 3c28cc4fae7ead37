"""Early stopping on the metric that the task itself names."""

from __future__ import annotations

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping as LightningEarlyStopping

from seqforge.errors import UserError
from seqforge.training.checkpointer import monitor_of


class EarlyStopping(LightningEarlyStopping):
    """Stops when the task's monitored metric has not become better for a while.

    Args:
        patience: Validations without a better value; None: never stop early.
        min_delta: How much better counts as better.
    """

    def __init__(self, patience: int | None = None, min_delta: float = 0.0) -> None:
        super().__init__(monitor="val/loss", patience=patience or 0, min_delta=min_delta)
        self.enabled = patience is not None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Take the metric and its direction from the task."""
        previous = self.mode
        self.monitor, self.mode = monitor_of(pl_module)
        if self.mode != previous:
            self.best_score = -self.best_score
            self.min_delta = -self.min_delta
        super().setup(trainer, pl_module, stage)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Refuse to wait for a metric that will never come.

        Raises:
            UserError: Nothing is validated.
        """
        if self.enabled and not sum(trainer.num_val_batches):
            raise UserError(
                f"early stopping watches {self.monitor}, but nothing is validated",
                where="early_stopping.patience",
                todo="keep data for validation, or leave early_stopping.patience out",
            )

    def _should_skip_check(self, trainer: pl.Trainer) -> bool:
        return not self.enabled or super()._should_skip_check(trainer)
