"""`EpochCopies`: a checkpoint of each epoch, so that all can be measured afterwards alike."""

from __future__ import annotations

from pathlib import Path

import pytorch_lightning as pl


class EpochCopies(pl.Callback):
    """Writes `epoch1.ckpt`, `epoch2.ckpt`, … when each epoch of training has ended.

    Args:
        folder: Where to; made if need be.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the epoch's checkpoint."""
        self.folder.mkdir(parents=True, exist_ok=True)
        trainer.save_checkpoint(self.folder / f"epoch{trainer.current_epoch + 1}.ckpt")
