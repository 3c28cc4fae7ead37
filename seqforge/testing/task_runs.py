"""What the task contract is checked with: one training run, its batches, answers to compare."""

from __future__ import annotations

import copy
import functools
import io
import itertools
import math
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor

from seqforge.cli.quiet import IGNORED_WARNINGS
from seqforge.data import Batch, DataModule, PlanLoader
from seqforge.encoders import Encoder
from seqforge.task import Figure, Loss, Output, Piece, Progress, Source, Table, Task, Text
from seqforge.training import Carry, LossSums, SequenceModule

BATCHES = 8
"""Training batches that a loss is measured on."""
ROWS = 8
"""Rows of the batch that is compared with its rows alone."""
LEARNING_RATE = 0.01
BEGINNING = Progress(epoch=0, step=0, fraction=0.0)

Answer = Text | Table | Figure


class Fitted(NamedTuple):
    """A short training run.

    Attributes:
        module: The trained module.
        trainer: What trained it.
        losses: The mean loss on the training data before and after.
    """

    module: SequenceModule
    trainer: pl.Trainer
    losses: tuple[float, float]


@dataclass
class TaskCase:
    """A task to check, with data to train it on and inputs to try it with.

    Attributes:
        task_factory: Makes the task, always with the same arguments.
        data_factory: Makes a data module: a small one, with validation data.
        encoder: The network to train, a small one.
        inputs: What a user could give to `seqforge infer`.
        options: An instance of the task's options; None: their defaults.
        epochs: How long to train.
    """

    task_factory: Callable[[], Task]
    data_factory: Callable[[], DataModule]
    encoder: Callable[[int], Encoder]
    inputs: Sequence[Source]
    options: object = None
    epochs: int = 3

    @cached_property
    def data(self) -> DataModule:
        """A data module that is set up and that no trainer has."""
        data = self.data_factory()
        data.prepare_data()
        data.setup("fit")
        return data

    @cached_property
    def train_loader(self) -> Iterable[Batch]:
        """The training loader, which is made once: a second one would go on where it stopped."""
        loader: Iterable[Batch] = self.data.train_dataloader()
        return loader

    @cached_property
    def training_batches(self) -> list[Batch]:
        """The first batches of the first epoch."""
        return list(itertools.islice(self.train_loader, BATCHES))

    @cached_property
    def evaluation_batches(self) -> list[Batch]:
        """Batches of the first validation loader; training batches if there is none."""
        loaders = self.data.val_dataloader()
        first = next(iter(loaders.values()), None) if isinstance(loaders, Mapping) else loaders
        return self.training_batches if first is None else list(itertools.islice(first, BATCHES))

    @cached_property
    def fitted(self) -> Fitted:
        """The task after a short run, which all checks share."""
        return _fit(self)

    def trained_task(self) -> Task:
        """Return a copy of the trained task, in evaluation mode, that a check may change."""
        return copy.deepcopy(self.fitted.module.task).eval()

    def answers(self, task: Task) -> list[Answer]:
        """Return all that a task answers to the case's inputs."""
        options = task.options() if self.options is None else self.options
        with isolate_rng():
            return joined(task.infer(list(self.inputs), options))


Check = Callable[[TaskCase], None]


def named(check: Check) -> Check:
    """Make whatever goes wrong in a check an AssertionError that begins with the check's name."""

    @functools.wraps(check)
    def wrapped(case: TaskCase) -> None:
        try:
            with _one_thread():
                check(case)
        except AssertionError as error:
            raise AssertionError(f"{check.__name__}: {error}") from error
        except Exception as error:
            raise AssertionError(f"{check.__name__}: {type(error).__name__}: {error}") from error

    return wrapped


def claim(holds: bool, text: str) -> None:
    """Fail with a message if something does not hold.

    Raises:
        AssertionError: If it does not.
    """
    if not holds:
        raise AssertionError(text)


def claim_terms(loss: Loss) -> None:
    """Check that a loss is made of scalar sums and counts.

    Raises:
        AssertionError: If there is no term, one is no scalar tensor, or a count is negative.
    """
    claim(bool(loss.terms), "loss returns no terms")
    for name, term in loss.terms.items():
        for part, value in (("total", term.total), ("count", term.count)):
            shown = f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
            scalar = isinstance(value, Tensor) and value.dim() == 0
            claim(scalar, f"the {part} of '{name}' is no scalar tensor but {shown}")
        claim(term.count.item() >= 0, f"the count of '{name}' is {term.count.item()}")


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put the global random generators back afterwards, and silence advice of the libraries."""
    with warnings.catch_warnings(), isolate_rng():
        for message in IGNORED_WARNINGS:
            warnings.filterwarnings("ignore", message=message)
        torch.manual_seed(0)
        yield


@torch.no_grad()
def loss_of(task: Task, batch: Batch) -> Loss:
    """Return the loss of a batch that no batch came before."""
    return task.loss(batch, task.start(len(batch.ids)), BEGINNING)


def in_double(batch: Batch) -> Batch:
    """Return a batch whose floating-point tensors are float64."""
    changes = {
        field.name: value.double()
        for field in fields(batch)
        if isinstance(value := getattr(batch, field.name), Tensor) and value.is_floating_point()
    }
    return replace(batch, **changes)


def some_numbers(loader: PlanLoader[Any]) -> list[int]:
    """Choose sample numbers from the first, the middle and the last batch of the first epoch.

    Batches may be sorted by length: rows from several of them need padding.
    """
    count = loader.plan.batches()
    numbers = [
        number
        for index in sorted({0, count // 2, count - 1})
        for number in loader.plan.batch(0, index)
    ]
    distinct = list(dict.fromkeys(numbers))
    return distinct[:: max(1, len(distinct) // ROWS)][:ROWS]


def joined(outputs: Iterable[Output]) -> list[Answer]:
    """Return outputs with pieces joined to texts, up to the piece that is marked as the last."""
    answers: list[Answer] = []
    body = ""
    for output in outputs:
        if isinstance(output, Piece):
            body += output.body
            if output.last:
                answers.append(Text(body))
                body = ""
            continue
        claim(
            isinstance(output, Answer),
            f"infer gave a {type(output).__name__}, not a Text, Piece, Table or Figure",
        )
        answers.append(output)
    claim(body == "", f"the last Piece of {body!r} is not marked with last=True")
    return answers


def difference(actual: Answer, expected: Answer) -> str:
    """Say how two answers differ; empty if they do not."""
    if type(actual) is not type(expected):
        return f"a {type(actual).__name__} instead of a {type(expected).__name__}"
    if isinstance(actual, Figure) and isinstance(expected, Figure):
        return "" if _pixels(actual) == _pixels(expected) else "other pictures"
    if isinstance(actual, Table) and isinstance(expected, Table):
        cells = [[*table.columns, *itertools.chain(*table.rows)] for table in (actual, expected)]
        same = len(cells[0]) == len(cells[1]) and all(map(_equal, *cells))
        return "" if same else f"{cells[0]} instead of {cells[1]}"
    return "" if actual == expected else f"{actual} instead of {expected}"


def _equal(actual: object, expected: object) -> bool:
    if isinstance(actual, float) and isinstance(expected, float):
        return math.isclose(actual, expected, rel_tol=1e-6, abs_tol=1e-9) or actual is expected
    return actual == expected


def _pixels(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.figure.savefig(buffer, format="raw")
    return buffer.getvalue()


@contextmanager
def _one_thread() -> Iterator[None]:
    # Small networks run fastest on one thread, by far where other processes want the cores too.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Before(pl.Callback):
    """Measures the loss when the network is built and nothing is learnt yet."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self.batches = batches
        self.loss = math.nan

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if isinstance(pl_module, SequenceModule):
            self.loss = _mean_loss(pl_module.task, self.batches)


def _fit(case: TaskCase) -> Fitted:
    before = _Before(case.training_batches)
    with tempfile.TemporaryDirectory() as folder, undisturbed():
        module = SequenceModule(
            case.task_factory(),
            case.encoder,
            optimizer=lambda groups: torch.optim.AdamW(groups, lr=LEARNING_RATE),
        )
        trainer = pl.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=case.epochs,
            callbacks=[before],
            gradient_clip_val=1.0,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        trainer.fit(module, datamodule=case.data_factory())
        after = _mean_loss(module.task, case.training_batches)
    return Fitted(module, trainer, (before.loss, after))


@torch.no_grad()
def _mean_loss(task: Task, batches: Sequence[Batch]) -> float:
    training = task.training
    task.eval()
    sums, carry = LossSums(), Carry()
    for batch in batches:
        loss = task.loss(batch, carry.take(task, batch), BEGINNING)
        claim_terms(loss)
        carry.put(loss.state)
        sums.add(loss.terms)
    task.train(training)
    return sums.close()[0]["loss"]
