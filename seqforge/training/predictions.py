"""Writes what `predict` finds: one line for each sample, whatever the number of processes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from seqforge.data.batch import Batch
from seqforge.errors import UserError

PREDICTIONS = "predictions.jsonl"
"""The file's name, in the trainer's root folder."""


class Predictions(pl.Callback):
    """Collects predictions and writes `predictions.jsonl`, sorted by sample number.

    The file lies in the trainer's root folder; every sample is in it once.
    """

    def __init__(self) -> None:
        self._rows: dict[int, Any] = {}

    def on_predict_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a batch's predictions, except a filler's."""
        for number, row in zip(batch.ids.tolist(), outputs, strict=True):
            if number >= 0:
                self._rows[number] = row

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Gather all ranks' predictions and write them on the first one."""
        parts: Sequence[Any] = [self._rows]
        if trainer.world_size > 1:
            parts = [None] * trainer.world_size
            torch.distributed.all_gather_object(parts, self._rows)
        self._rows = {}
        if trainer.is_global_zero:
            merged = {number: row for part in parts for number, row in part.items()}
            rows = ({"id": number, **merged[number]} for number in sorted(merged))
            _write(Path(trainer.default_root_dir) / PREDICTIONS, rows)


def _write(target: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        part.replace(target)
    except OSError as error:
        raise UserError(
            f"cannot write '{target}': {error.strerror}",
            where="trainer.default_root_dir",
            todo="choose a folder that can be written, with --trainer.default_root_dir",
        ) from error
