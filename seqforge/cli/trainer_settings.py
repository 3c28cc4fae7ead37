"""Our defaults for Lightning's trainer, and what they must give way to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.plugins.io import CheckpointIO

from seqforge.cli.config_places import Source
from seqforge.errors import UserError
from seqforge.precision import training_precision
from seqforge.training import AtomicCheckpointIO, Checkpointer, MetricHistory, slurm

TRAINER_DEFAULTS: dict[str, Any] = {
    "max_epochs": 20,
    "gradient_clip_val": 1.0,
    "num_sanity_val_steps": 0,
    "log_every_n_steps": 10,
    "use_distributed_sampler": False,  # our loaders share batches out over ranks themselves
    "enable_model_summary": False,
    "enable_progress_bar": True,
    "default_root_dir": "runs",
}

LOW_PRECISIONS = ("16", "16-mixed", "16-true", "transformer-engine-float16", "bf16-true")
"""Sums of losses overflow in half precision, and no state is ever kept below float32."""


def settle(trainer: Any, sources: Sequence[Source], full_precision: bool) -> None:
    """Fill in what depends on the machine and on what was given.

    Args:
        trainer: The trainer's parsed options; changed in place.
        sources: What was given.
        full_precision: Whether the task trains in float32 only.

    Raises:
        UserError: The precision is one in which nothing can be trained here.
    """
    if str(trainer["precision"]) in LOW_PRECISIONS:
        raise UserError(
            f"precision {trainer['precision']} is too low for recurrent states and sums of losses",
            where="trainer.precision",
            accepted=("bf16-mixed", "32-true", "64-true"),
            todo="use bf16-mixed, which is as fast and needs no scaler",
        )
    if trainer["precision"] is None:
        chosen = training_precision(trainer["accelerator"])
        trainer["precision"] = "32-true" if full_precision else chosen
    if trainer["default_root_dir"] is None:
        trainer["default_root_dir"] = TRAINER_DEFAULTS["default_root_dir"]
    # A default number of epochs must not cut a given number of steps short.
    if (trainer["max_steps"] or -1) > 0 and not _is_given(sources, "trainer", "max_epochs"):
        trainer["max_epochs"] = -1
    if trainer["barebones"] and not _is_given(sources, "trainer", "log_every_n_steps"):
        trainer["log_every_n_steps"] = None


def complete(trainer: dict[str, Any], callbacks: list[Callback], loggers: list[Any] | bool) -> None:
    """Add what the trainer is made with beside its options.

    Args:
        trainer: The trainer's arguments, classes instantiated; changed in place.
        callbacks: Our own callbacks; the checkpointer is taken out where none is wanted.
        loggers: What stands for the default logger.
    """
    if trainer["barebones"] and trainer["logger"] is None:
        trainer["logger"] = False
    elif trainer["logger"] in (None, True):
        trainer["logger"] = loggers
    trainer["enable_progress_bar"] = False  # the console has its own
    if trainer["barebones"] or trainer["enable_checkpointing"] is False:
        callbacks[:] = [each for each in callbacks if not isinstance(each, Checkpointer)]
    plugins = trainer["plugins"] or []
    plugins = list(plugins) if isinstance(plugins, list) else [plugins]
    if not any(isinstance(plugin, CheckpointIO) for plugin in plugins):
        plugins.append(AtomicCheckpointIO())
    scheduler = slurm.environment()
    if scheduler and not any(isinstance(plugin, ClusterEnvironment) for plugin in plugins):
        plugins.append(scheduler)
    trainer["plugins"] = plugins


def default_loggers(folder: Path, steps: int) -> list[Any]:
    """Return a CSV and a TensorBoard logger for a run folder.

    Args:
        folder: The run folder.
        steps: Optimiser steps of the checkpoint that the run goes on from. What was logged after
            them is cut off, since those steps are taken again.
    """
    history = MetricHistory(folder / "logs", keep=steps)
    board = TensorBoardLogger(
        folder, name="logs", version="", default_hp_metric=False, purge_step=steps + 1
    )
    return [history, board]


def _is_given(sources: Sequence[Source], group: str, name: str) -> bool:
    for source in sources:
        tree = source.tree.plain()
        values = tree.get(group) if isinstance(tree, dict) else None
        if isinstance(values, dict) and name in values:
            return True
    return False
