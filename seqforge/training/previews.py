"""Shows what the network makes of a few inputs while it learns."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger

from seqforge.data.batch import Batch
from seqforge.task import Figure, Preview, Table, Text
from seqforge.training.sequence_module import SequenceModule


class Samples(pl.Callback):
    """Asks the task for previews and gives them to the terminal, the loggers and the run folder.

    Args:
        every_epochs: Epochs between two showings; 0: none at the ends of epochs.
        every_steps: Optimiser steps between two showings within epochs; None: none.

    Raises:
        ValueError: A number is negative.
    """

    def __init__(self, every_epochs: int = 1, every_steps: int | None = None) -> None:
        if every_epochs < 0 or (every_steps is not None and every_steps < 1):
            raise ValueError("samples.every_epochs must be at least 0 and every_steps at least 1")
        self.every_epochs = every_epochs
        self.every_steps = every_steps
        self.show: Callable[[Sequence[Preview], pl.Trainer], None] | None = None
        self._batch: Batch | None = None
        self._shown_step = -1

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Show samples every `every_steps` optimiser steps."""
        if self._batch is None:
            self._batch = batch
        step = trainer.global_step
        if self.every_steps and step % self.every_steps == 0 and step != self._shown_step:
            self._present(trainer, pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show samples every `every_epochs` epochs."""
        if self.every_epochs and (trainer.current_epoch + 1) % self.every_epochs == 0:
            self._present(trainer, pl_module)

    def _present(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if not trainer.is_global_zero or not isinstance(module, SequenceModule):
            return
        batch = module.preview_batch or self._batch
        if batch is None or self._shown_step == trainer.global_step:
            return
        self._shown_step = trainer.global_step
        previews = module.preview(batch)
        if self.show is not None:
            self.show(previews, trainer)
        folder = Path(trainer.default_root_dir) / "samples"
        folder.mkdir(parents=True, exist_ok=True)
        place = f"epoch{trainer.current_epoch:03d}-step{trainer.global_step:07d}"
        for preview, name in zip(previews, _names(previews), strict=True):
            _save(preview, folder, f"{place}-{name}")
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoardLogger):
                    _log(preview, name, logger, trainer.global_step)
            if isinstance(preview, Figure):
                _close(preview)


def as_text(preview: Text | Table) -> str:
    """Return a text or a table as plain text, columns separated by tabs."""
    if isinstance(preview, Text):
        return preview.body
    rows = [preview.columns, *preview.rows]
    return "\n".join("\t".join(str(cell) for cell in row) for row in rows)


def _names(previews: Sequence[Preview]) -> list[str]:
    """Return a name for each preview, fit for a file, no two the same."""
    titles = [re.sub(r"[^\w.-]+", "_", preview.title).strip("_.") for preview in previews]
    plain = [title[:80] or "sample" for title in titles]
    return [
        name if plain.count(name) == 1 else f"{name}-{plain[:number].count(name) + 1}"
        for number, name in enumerate(plain)
    ]


def _save(preview: Preview, folder: Path, stem: str) -> None:
    if isinstance(preview, Figure):
        preview.figure.savefig(folder / f"{stem}.png", dpi=120)
    else:
        (folder / f"{stem}.txt").write_text(as_text(preview) + "\n", encoding="utf-8")


def _close(preview: Figure) -> None:
    # pyplot keeps every figure that it has made until it is told to let go.
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(preview.figure)


def _log(preview: Preview, name: str, logger: TensorBoardLogger, step: int) -> None:
    if isinstance(preview, Figure):
        logger.experiment.add_figure(f"preview/{name}", preview.figure, step, close=False)
    else:
        logger.experiment.add_text(f"preview/{name}", f"```\n{as_text(preview)}\n```", step)
