"""Saves and restores the random generators of every rank, so that a resumed run draws the same."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch


class RandomState(pl.Callback):
    """Keeps torch's, numpy's and Python's generators in checkpoints, as plain values.

    They are put back when training starts, not earlier: making iterators draws from them.
    """

    def __init__(self) -> None:
        self._restored: list[dict[str, Any]] = []

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the generators of all ranks to a checkpoint."""
        states: list[Any] = [None] * trainer.world_size
        if trainer.world_size > 1:
            torch.distributed.all_gather_object(states, random_state())
        else:
            states = [random_state()]
        checkpoint["random"] = states

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Remember the generators of a checkpoint."""
        self._restored = list(checkpoint.get("random", []))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put this rank's generators back; a rank that is new gets a seed of its own."""
        rank = trainer.global_rank
        if rank < len(self._restored):
            set_random_state(self._restored[rank])
        elif rank > 0:
            # All were seeded alike, for the weights; rows of two ranks are not to be dropped alike.
            seed = [torch.initial_seed(), rank, trainer.global_step]
            torch_seed, numpy_seed, python_seed = np.random.SeedSequence(seed).generate_state(3)
            torch.manual_seed(int(torch_seed))
            np.random.seed(int(numpy_seed))
            random.seed(int(python_seed))
        self._restored = []


def random_state() -> dict[str, Any]:
    """Return the states of this process's global generators as plain values."""
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    state = {
        "torch": torch.get_rng_state(),
        "numpy": [str(name), torch.from_numpy(np.asarray(keys, dtype=np.int64)), int(position)],
        "gauss": [int(has_gauss), float(cached)],
        "python": random.getstate(),
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Set the global generators to states that `random_state` returned."""
    torch.set_rng_state(state["torch"])
    name, keys, position = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, *state["gauss"]))
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
