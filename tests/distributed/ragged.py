"""A task and data of ragged rows, and what a rank finds when it trains and evaluates them."""

import csv
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.distributed import GradBucket, ProcessGroup, group  # type: ignore[attr-defined]
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn.parallel import DistributedDataParallel
from torchmetrics import MeanMetric

from seqforge import Batch, EncoderFactory, SequenceModule
from seqforge.data import PlanLoader, SequentialPlan
from seqforge.encoders import LSTM
from seqforge.training import Constant, Predictions
from tests.training.toy import Rows, Toy, ToyData, collate, toy_trainer

ROWS = 25
"""Divided neither by two or three ranks nor by a batch: the last batch of all is a single row."""

EPOCHS = 2
STEPS_IN_EPOCH = 4
CASES = {"whole": (8, 1), "accumulated": (4, 2)}
"""Global batch size and accumulation, of the same samples in every optimiser step."""


class Ragged(Toy):
    """Toy, with a metric of its own and predictions."""

    def build(self, encoders: EncoderFactory, spec: Mapping[str, Any]) -> None:
        super().build(encoders, spec)
        self.error = MeanMetric().set_dtype(torch.float64)

    def evaluate(self, batch: Batch) -> None:
        super().evaluate(batch)
        self.error.update((self._last(batch) - 1.0).abs())

    def finish_evaluation(self) -> dict[str, float]:
        mean = self.error.compute().item()
        self.error.reset()
        return {"error": mean}

    def measures(self, losses: Mapping[str, float]) -> dict[str, float]:
        return {"root": losses["loss"] ** 0.5}

    def predict(self, batch: Batch) -> Sequence[Mapping[str, object]]:
        return [{"next": value} for value in self._last(batch).tolist()]

    def _last(self, batch: Batch) -> Tensor:
        assert isinstance(batch, Rows)
        outputs, _ = self.encoder(batch.values[..., None], lengths=batch.lengths)
        last = outputs[torch.arange(len(outputs)), batch.lengths - 1]
        values: Tensor = self.head(last).squeeze(1)
        return values


class RaggedData(ToyData):
    def __init__(self, batch_size: int) -> None:
        super().__init__(batch_size, rows=ROWS)
        self.rows = [row.double() for row in self.rows]

    def val_dataloader(self) -> dict[str, PlanLoader[Tensor]]:
        return {"all": self.eval_loader(self.rows, SequentialPlan(ROWS, 4), collate)}


class Reductions(pl.Callback):
    """Counts for every training batch how often gradients go from rank to rank."""

    def __init__(self) -> None:
        self.counted: list[int] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if isinstance(trainer.strategy.model, DistributedDataParallel):
            trainer.strategy.model.register_comm_hook(None, self._reduce)

    def on_train_batch_start(self, *args: Any) -> None:
        self.counted.append(0)

    def _reduce(self, state: None, bucket: GradBucket) -> torch.futures.Future[Tensor]:
        self.counted[-1] += 1
        future: torch.futures.Future[Tensor] = allreduce_hook(_world(), bucket)
        return future


def train(folder: Path, case: str, **options: Any) -> dict[str, Any]:
    """Train, validate and predict; return all that must not depend on the number of ranks."""
    batch_size, accumulate = CASES[case]
    pl.seed_everything(0, verbose=False)
    module = SequenceModule(
        Ragged(),
        partial(LSTM, hidden_size=6),
        optimizer=partial(torch.optim.SGD, lr=0.5),
        schedule=Constant,
    )
    reductions = Reductions()
    trainer = toy_trainer(
        folder / case,
        max_epochs=EPOCHS,
        accumulate_grad_batches=accumulate,
        gradient_clip_val=0.05,
        log_every_n_steps=1,
        precision="64-true",
        use_distributed_sampler=False,
        callbacks=[reductions, Predictions()],
        logger=pl.loggers.CSVLogger(folder, name=case, version=""),
        **options,
    )
    data = RaggedData(batch_size)
    with warnings.catch_warnings():
        # Lightning's advice on loaders without worker processes.
        warnings.filterwarnings("ignore", message=".*many workers.*")
        trainer.fit(module, datamodule=data)
        metrics = trainer.validate(module, datamodule=data, verbose=False)[0]
        trainer.predict(module, datamodule=data, return_predictions=False)
    return {
        "weights": {name: value.clone() for name, value in module.state_dict().items()},
        "metrics": metrics,
        "steps": trainer.global_step,
        "reductions": reductions.counted,
    }


def logged(folder: Path, case: str, column: str) -> list[float]:
    """Return a logged value of every optimiser step."""
    with (folder / case / "metrics.csv").open(newline="") as file:
        return [float(row[column]) for row in csv.DictReader(file) if row.get(column)]


def _world() -> ProcessGroup:
    world = group.WORLD
    assert world is not None
    return world
