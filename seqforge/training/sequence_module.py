"""The only LightningModule of seqforge: trains whatever task and encoder it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor

from seqforge import checkpoint as checkpoints
from seqforge.data.batch import Batch
from seqforge.data.buckets import padding_share
from seqforge.data.seed import run_seed
from seqforge.encoders import LSTM, Encoder, EncoderFactory
from seqforge.errors import UserError
from seqforge.precision import full_precision
from seqforge.task import Preview, Progress, Spec, Task
from seqforge.training.averaging import WeightAverage
from seqforge.training.carry import Carry
from seqforge.training.evaluation import Evaluation
from seqforge.training.exact_loss import LossSums, gradient_norm, objective, scale_gradients
from seqforge.training.failures import NonFiniteLoss
from seqforge.training.optimizer import (
    fuse,
    parameter_groups,
    resting_parameters,
    scaled_learning_rates,
)
from seqforge.training.schedule import Cosine, Schedule, step_plateaus


class SequenceModule(pl.LightningModule):
    """Optimisation, exact loss, carried state, evaluation and checkpoints around a task.

    Args:
        task: What is learnt.
        encoder: Makes the recurrent network for a given input size: an encoder class or a
            `functools.partial` of one. No input size is ever written in a configuration.
        roles: Other encoders for named roles ("decoder", …) of tasks that have several.
        optimizer: Makes the optimiser for parameter groups; its learning rate is the peak.
        schedule: How the learning rate goes on from there.
        ema: Decay of the moving average of the weights that is validated and served; 0: none.
        spec: The data's description, for use without a seqforge data module.
    """

    def __init__(
        self,
        task: Task,
        encoder: Callable[[int], Encoder] = LSTM,
        roles: dict[str, Callable[[int], Encoder]] | None = None,
        optimizer: Callable[[Iterable[Any]], torch.optim.Optimizer] = lambda groups: (
            torch.optim.AdamW(groups, lr=0.002, weight_decay=0.01)
        ),
        schedule: Callable[[], Schedule] = Cosine,
        ema: float = 0.0,
        spec: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.task = task
        self.encoders = EncoderFactory(encoder, roles or {})
        self.spec: Spec | None = spec
        self.carry = Carry()
        self.average = WeightAverage(ema)
        self.step_loss: dict[str, float] = {}
        self._make_optimizer = optimizer
        self._make_schedule = schedule
        self._sums = LossSums()
        self._built = False
        self._begun = False
        self._evaluation = Evaluation(task)
        self._planned_steps = 0.0
        self._rate = 0.0
        self._restored_metrics: dict[str, Tensor] = {}

    # -- building -----------------------------------------------------------------------------

    def configure_model(self) -> None:
        """Build the task's network once, from the data's spec."""
        if self._built:
            return
        datamodule = getattr(self.trainer, "datamodule", None)
        if self.spec is None:
            if datamodule is None or not hasattr(datamodule, "spec"):
                raise TypeError(
                    "SequenceModule needs a data module with spec(), or spec={…} if yours has none"
                )
            self.spec = datamodule.spec()
        self.task.build(self.encoders, self.spec)
        self._built = True

    def configure_optimizers(self) -> Any:
        """Make the optimiser, with decay spared for vectors, and its schedule."""
        parts = self.task.learning_rates(self.progress())
        optimizer = self._make_optimizer(parameter_groups(self.task, parts))
        fuse(optimizer)
        steps = self.trainer.estimated_stepping_batches
        schedule = self._make_schedule()
        endless = not 0 <= steps < float("inf")  # below 0: the loader has no length
        if schedule.needs_steps and endless:
            raise UserError(
                f"the schedule {type(schedule).__name__} must know how long the run is",
                where="trainer.max_epochs",
                todo="give trainer.max_epochs or max_steps, or --model.schedule Constant",
            )
        planned = 1 if endless else max(1, int(steps))
        scheduler = schedule.scheduler(optimizer, planned, self.task.monitor)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

    # -- training -----------------------------------------------------------------------------

    def on_fit_start(self) -> None:
        """Refuse what would train wrongly, and begin a fresh fit."""
        if self.trainer.precision == "16-mixed":
            raise UserError(
                "precision 16-mixed",
                where="trainer.precision",
                accepted=("bf16-mixed", "32-true", "64-true"),
                todo="sums overflow half precision; use bf16-mixed, which needs no scaler",
            )
        self._planned_steps = float(self.trainer.estimated_stepping_batches)
        # Not in configure_model: whether a run is resumed is not known there yet.
        datamodule = getattr(self.trainer, "datamodule", None)
        if not self._begun and self.trainer.ckpt_path is None:
            self.task.initialise()
            if datamodule is not None:
                self.task.prepare(datamodule)
        if datamodule is not None:
            self.task.attach(datamodule)
        self._begun = True

    def on_train_start(self) -> None:
        """Put metrics back; log the share of padding in training, where the plan knows it."""
        # The console and callbacks may ask for them before the resumed run has validated.
        self.trainer.callback_metrics.update(self._restored_metrics)
        padding = padding_share(self.trainer.train_dataloader)
        if padding is not None and self.trainer.global_step == 0:
            for logger in self.loggers:
                logger.log_metrics({"data/padding": padding}, step=0)

    def progress(self) -> Progress:
        """Return where training stands."""
        step = self.trainer.global_step
        planned = self._planned_steps
        fraction = min(1.0, step / planned) if 0 < planned < float("inf") else 0.0
        return Progress(self.trainer.current_epoch, step, fraction, run_seed())

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the batch's loss as a sum; the division comes before the optimiser's step."""
        if batch_idx == 0:
            self.carry.clear()
        filler = batch.is_filler
        progress = self.progress()
        loss = self.task.loss(batch, self.carry.take(self.task, batch), progress)
        if not filler:
            self.carry.put(loss.state)
        self._sums.add(loss.terms, share=float(not filler))
        total = objective(loss.terms, share=float(not filler))
        for parameter in resting_parameters(self.task, self.task.learning_rates(progress)):
            # A zero gradient: every rank reduces the same parameters at every step.
            total = total + 0.0 * parameter.sum()
        return total

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide the summed gradients by the count of the whole step, before clipping.

        Lightning has divided each batch's sum by the accumulation, DDP has averaged over ranks;
        both are undone here.

        Raises:
            NonFiniteLoss: The loss or the gradient is not finite; the weights are those before.
        """
        trainer = self.trainer
        means, count = self._sums.close(trainer.world_size)
        factor = trainer.accumulate_grad_batches * trainer.world_size / max(count, 1.0)
        scale_gradients(self.parameters(), factor)
        norm = gradient_norm(self.parameters()).item()
        if not all(map(torch.isfinite, torch.tensor([*means.values(), norm]))):
            raise NonFiniteLoss(means["loss"], norm, trainer.global_step, trainer.current_epoch)
        for parameter in resting_parameters(self.task, self.task.learning_rates(self.progress())):
            parameter.grad = None  # optimisers keep no moments for a part that rests
        self.step_loss = means
        self._log_step(
            {f"train/{name}": mean for name, mean in means.items()}
            | {"train/gradient_norm": norm, "train/learning_rate": self._rate}
        )

    def _log_step(self, values: dict[str, float]) -> None:
        # What `self.log_dict(values, logger=False)` comes to, at a tenth of its cost, which is that
        # of a small network's whole backward pass.
        self.trainer.callback_metrics.update(
            {name: torch.tensor(value) for name, value in values.items()}
        )
        step = self.trainer.global_step + 1
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if every and step % every == 0:
            # Now, not when Lightning does, which is after checkpoints were written: a run that is
            # killed in between would lose the row.
            for logger in self.loggers:
                logger.log_metrics(values, step)

    def optimizer_step(
        self,
        epoch: int,
        batch_idx: int,
        optimizer: Any,
        optimizer_closure: Callable[[], Any] | None = None,
    ) -> None:
        """Step with each part's learning rate factor, then take the weights into the average."""
        factors = self.task.learning_rates(self.progress())
        self._rate = optimizer.param_groups[0]["lr"]
        with scaled_learning_rates(optimizer, factors):
            super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)
        self.average.update(self.task)

    # -- evaluation ---------------------------------------------------------------------------

    def on_validation_epoch_start(self) -> None:
        """Begin a pass over the validation loaders."""
        self._evaluation.begin(_loader_names(self.trainer.val_dataloaders))

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Add one batch to the exact loss and, for the first loader, to the task's metrics."""
        with self.average.applied(self.task), full_precision(self.device):
            self._evaluation.add(batch, batch_idx, dataloader_idx, self.progress())

    def on_validation_epoch_end(self) -> None:
        """Log the pass under `val/`."""
        self._log_evaluation("val")

    def on_test_epoch_start(self) -> None:
        """Begin a pass over the test loaders."""
        self._evaluation.begin(_loader_names(self.trainer.test_dataloaders))

    def test_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Add one batch to the exact loss and, for the first loader, to the task's metrics."""
        self.validation_step(batch, batch_idx, dataloader_idx)

    def on_test_epoch_end(self) -> None:
        """Log the pass under `test/`."""
        self._log_evaluation("test")

    @property
    def derived_metrics(self) -> frozenset[str]:
        """Names of validation metrics that only say a loss in another unit, as perplexity does."""
        return frozenset(f"val/{name}" for name in self._evaluation.derived)

    def _log_evaluation(self, stage: str) -> None:
        results = self._evaluation.finish(self.trainer.world_size)
        metrics = {f"{stage}/{name}": value for name, value in results.items()}
        # Already the same on all ranks; the largest of equal values is exact, a mean may round.
        self.log_dict(metrics, sync_dist=True, reduce_fx="max")
        if self.trainer.state.fn == TrainerFn.FITTING and not self.trainer.sanity_checking:
            step_plateaus(self.trainer, metrics)

    @property
    def preview_batch(self) -> Batch | None:
        """The first validation batch of the last pass, for previews; None before any."""
        return self._evaluation.first_batch

    @torch.no_grad()
    def preview(self, batch: Batch) -> list[Preview]:
        """Return what the task shows of its present network, in evaluation mode."""
        training = self.task.training
        self.task.eval()
        try:
            with self.average.applied(self.task), full_precision(self.device):
                return list(self.task.preview(batch))
        finally:
            self.task.train(training)

    def forward(self, batch: Batch) -> Sequence[Mapping[str, object]]:
        """Return the task's predictions for a batch, one for each row."""
        with self.average.applied(self.task), full_precision(self.device):
            return self.task.predict(batch)

    # -- checkpoints --------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the description from which `seqforge.load` rebuilds the task, and the carry."""
        checkpoint["seqforge"] = checkpoints.describe(self.task, self.encoders, self.spec or {})
        checkpoint["average"] = self.average.state_dict()
        checkpoint["metrics"] = {
            name: value.detach().cpu() for name, value in self.trainer.callback_metrics.items()
        }
        checkpoint["carry"] = self.carry.gather(self.trainer.world_size)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up average and carry; refuse a checkpoint of other data.

        Raises:
            UserError: The checkpoint was trained on data with another spec.
        """
        checkpoints.check_spec(checkpoint, self.spec or {})
        self._begun = True
        self.average.load_state_dict(checkpoint.get("average", {}))
        self._restored_metrics = dict(checkpoint.get("metrics", {}))
        self.carry.restore(
            checkpoint.get("carry"), self.trainer.global_rank, self.trainer.world_size
        )

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load weights.

        Raises:
            UserError: They belong to another network than the configured one.
        """
        try:
            return super().load_state_dict(state_dict, strict, assign)
        except RuntimeError as error:
            raise UserError(
                "the checkpoint's weights do not fit the configured network",
                where=str(error).strip().splitlines()[-1].strip(),
                todo="give the configuration of the checkpoint's run: config.yaml in its folder",
            ) from error


def _loader_names(loaders: Any) -> list[str]:
    if isinstance(loaders, dict):
        return list(loaders)
    return [str(index) for index in range(len(loaders) if isinstance(loaders, list) else 1)]
