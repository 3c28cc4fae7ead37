"""Writes checkpoints where an exact resume is possible, and keeps the best ones.

All knowledge of Lightning's private loop attributes is in `_at_boundary`. A checkpoint in the
middle of an accumulation, or on an epoch's last batch, cannot be resumed exactly (gradients are not
saved, epoch hooks would never run), so a rolling `last.ckpt` is written at optimiser steps inside
an epoch only; `best.ckpt` is for inference and is written right after validation.
"""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.trainer.states import TrainerFn

from seqforge.task import Task
from seqforge.training import slurm
from seqforge.training.failures import NonFiniteLoss
from seqforge.training.signals import SignalFlag

_EPOCH_SECONDS = 20.0
"""A new epoch is saved soon, but not where epochs take seconds: that would cost time."""


class Checkpointer(Checkpoint):
    """Keeps `last.ckpt` (to go on with) and the best checkpoints (to infer with) in the run folder.

    `previous.ckpt` is the rolling checkpoint before the last one, for the case that the last one
    is damaged from outside; both are written so that a kill leaves them whole.

    Args:
        every_minutes: Time between two rolling checkpoints.
        every_steps: Optimiser steps between two rolling checkpoints; None: by time alone.
        keep_best: How many of the best checkpoints stay, by the task's monitored metric; the best
            of all is always `best.ckpt`.
        requeue: Under SLURM, what has a stopped job queued again: "signal", SIGTERM and SIGUSR1;
            "warning", SIGUSR1 alone, so that `scancel`, which sends SIGTERM, is for good.

    Attributes:
        best: The best checkpoints, the best first: their scores and names.
        last_good: After a loss that was not finite, the checkpoint to go on with.
        stopped: Whether a signal ended the run at a place on which all its processes agreed.

    Raises:
        ValueError: A number is not positive.
    """

    def __init__(
        self,
        every_minutes: float = 5.0,
        every_steps: int | None = None,
        keep_best: int = 1,
        requeue: Literal["signal", "warning"] = "signal",
    ) -> None:
        if every_minutes <= 0 or keep_best < 1 or (every_steps is not None and every_steps < 1):
            raise ValueError("every_minutes, every_steps and keep_best must be positive")
        self.every_minutes = every_minutes
        self.every_steps = every_steps
        self.keep_best = keep_best
        self.requeue = requeue
        self.best: list[tuple[float, str]] = []
        self.last_good: Path | None = None
        self._signals = SignalFlag()
        self.stopped = False
        self._saved_step = -1
        self._saved_inside = False
        self._saved_epoch = 0
        self._saved_at = time.monotonic()

    @property
    def best_score(self) -> float | None:
        """The best value of the monitored metric so far."""
        return self.best[0][0] if self.best else None

    @property
    def caught_signal(self) -> str:
        """Name of the signal that stopped the run, or an empty string."""
        if self._signals.caught is None and self.stopped:
            return "a signal to another process"
        return self._signals.caught.name if self._signals.caught is not None else ""

    def folder(self, trainer: pl.Trainer) -> Path:
        """Return the folder that holds the checkpoints."""
        return Path(trainer.default_root_dir) / "checkpoints"

    # -- when -----------------------------------------------------------------------------------

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take over signals, after Lightning has installed its own handlers."""
        self._signals.install()
        self._saved_at = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Save the rolling checkpoint when it is due, and stop when a signal came."""
        if _at_boundary(trainer) and not _validation_is_next(trainer):
            self._save_or_stop(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Do the same where an epoch is a single optimiser step, which has no place inside it."""
        if trainer.num_training_batches <= trainer.accumulate_grad_batches:
            self._save_or_stop(trainer)

    def _save_or_stop(self, trainer: pl.Trainer) -> None:
        decide = trainer.strategy.reduce_boolean_decision
        stop = decide(self._signals.caught is not None, all=False)
        if stop or decide(self._is_due(trainer), all=False):
            self._save_last(trainer)
        if stop:
            self._stop(trainer)

    def _stop(self, trainer: pl.Trainer) -> NoReturn:
        """End the run; a job that did not end by itself is queued again before."""
        self.stopped = True
        reasons = {"SIGUSR1"} if self.requeue == "warning" else {"SIGUSR1", "SIGTERM"}
        wanted = bool(self._signals.seen & reasons)
        if trainer.strategy.reduce_boolean_decision(wanted, all=False) and trainer.is_global_zero:
            slurm.requeue()
        raise SystemExit(self._signals.exit_code)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the best checkpoint, and inside an epoch the rolling one."""
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING:
            return
        self._save_best(trainer, *monitor_of(pl_module))
        if _at_boundary(trainer):
            self._save_last(trainer)
            if trainer.strategy.reduce_boolean_decision(
                self._signals.caught is not None, all=False
            ):
                self._stop(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the finished run, from which it can be extended."""
        # A run whose steps ended inside an epoch has been saved there, before Lightning counted
        # that epoch as done.
        if self._saved_step != trainer.global_step or not self._saved_inside:
            self._save_last(trainer)
        self._signals.remove()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Find the last good checkpoint when the loss was not finite; give signals back."""
        self._signals.remove()
        if isinstance(exception, NonFiniteLoss):
            folder = self.folder(trainer)
            if trainer.is_global_zero and self._saved_step >= exception.step:
                _distrust(folder / "last.ckpt")
            candidates = [folder / "last.ckpt", folder / "best.ckpt"]
            self.last_good = next((file for file in candidates if file.exists()), None)

    # -- what -----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return what is known of saved checkpoints."""
        return {
            "best": [list(entry) for entry in self.best],
            "saved_step": self._saved_step,
            "saved_epoch": self._saved_epoch,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what a checkpoint knew."""
        self.best = [(float(score), str(name)) for score, name in state_dict["best"]]
        self._saved_step = state_dict["saved_step"]
        self._saved_epoch = state_dict["saved_epoch"]

    def _is_due(self, trainer: pl.Trainer) -> bool:
        step, seconds = trainer.global_step, time.monotonic() - self._saved_at
        if 0 <= trainer.max_steps <= step:
            return True
        if self._saved_step < 0:
            return True  # from the first step on there is something to go on from
        if trainer.current_epoch > self._saved_epoch and seconds >= _EPOCH_SECONDS:
            return True
        if self.every_steps is not None and step - self._saved_step >= self.every_steps:
            return True
        return seconds >= 60.0 * self.every_minutes

    def _save_last(self, trainer: pl.Trainer) -> None:
        self._saved_inside = _at_boundary(trainer)
        self._saved_step = trainer.global_step
        self._saved_epoch = trainer.current_epoch
        for logger in trainer.loggers:
            logger.save()  # what is logged up to here must not be lost by a kill
        last = self.folder(trainer) / "last.ckpt"
        if trainer.is_global_zero and last.exists():
            _link(last, last.with_name("previous.ckpt"))
        trainer.save_checkpoint(self.folder(trainer) / "last.ckpt", weights_only=False)
        self._saved_at = time.monotonic()

    def _save_best(self, trainer: pl.Trainer, metric: str, mode: str) -> None:
        score = trainer.callback_metrics.get(metric, torch.tensor(torch.nan)).item()
        sign = 1.0 if mode == "min" else -1.0
        full = len(self.best) >= self.keep_best
        # Of equals the later one is kept: it has learnt more.
        if math.isnan(score) or (full and sign * score > sign * self.best[-1][0]):
            return
        name = f"epoch{trainer.current_epoch:03d}-step{trainer.global_step:07d}.ckpt"
        ranked = sorted([(score, name), *self.best], key=lambda entry: sign * entry[0])
        self.best, dropped = ranked[: self.keep_best], ranked[self.keep_best :]
        folder = self.folder(trainer)
        trainer.save_checkpoint(folder / name, weights_only=True)
        if trainer.is_global_zero:
            if self.best[0][1] == name:
                _link(folder / name, folder / "best.ckpt")
            for _, old in dropped:
                (folder / old).unlink(missing_ok=True)


def monitor_of(module: pl.LightningModule) -> tuple[str, str]:
    """Return the metric and mode by which a module's checkpoints are selected."""
    task = getattr(module, "task", None)
    return task.monitor if isinstance(task, Task) else Task.monitor


def _at_boundary(trainer: pl.Trainer) -> bool:
    """Whether an optimiser step has just been taken, and not on the epoch's last batch."""
    loop = trainer.fit_loop.epoch_loop
    return not trainer.fit_loop._should_accumulate() and not loop.batch_progress.is_last_batch


def _validation_is_next(trainer: pl.Trainer) -> bool:
    """Whether a validation follows this batch: saved before it, it would be skipped for good."""
    fetcher = trainer.fit_loop._data_fetcher
    return fetcher is not None and trainer.fit_loop.epoch_loop._should_check_val_fx(fetcher)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, replacing the target in one step; copy where links fail."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, part)
    part.replace(target)


def _distrust(last: Path) -> None:
    """Put weights aside that were saved right before a bad loss: they are what gave it."""
    if last.exists():
        last.replace(last.with_name("distrusted.ckpt"))
    previous = last.with_name("previous.ckpt")
    if previous.exists():
        previous.replace(last)
