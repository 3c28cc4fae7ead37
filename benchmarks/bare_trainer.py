"""The trainer of runs that are only timed: it learns, and does nothing beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl


def bare_trainer(
    precision: Any,
    *,
    accelerator: str = "cpu",
    max_steps: int = -1,
    seconds: int | None = None,
    callbacks: Sequence[pl.Callback] = (),
) -> pl.Trainer:
    """Return a trainer without validation, checkpoints, logs or bars; it clips gradients at 1.

    Args:
        precision: Lightning's word for it.
        accelerator: "cpu" or "gpu"; one device of it.
        max_steps: Steps at most; -1: as many as come.
        seconds: Seconds at most; None: as many as come.
        callbacks: Callbacks.
    """
    return pl.Trainer(
        accelerator=accelerator,
        devices=1,
        precision=precision,
        max_epochs=1000,
        max_steps=max_steps,
        max_time=None if seconds is None else {"seconds": seconds},
        gradient_clip_val=1.0,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        logger=False,
        callbacks=list(callbacks),
    )
