"""What a task is: all that tells character generation from translation or captioning.

The core trains, saves, resumes, logs and serves a `Task` without knowing which one it is. A task
says how its network is built, what its loss is, how it is scored when it runs freely, and what it
answers to a user. See `docs/guide/writing-a-task.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from torch import Tensor, nn

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

    from seqforge.data.base import DataModule
    from seqforge.data.batch import Batch
    from seqforge.encoders.base import Encoder
    from seqforge.encoders.factory import EncoderFactory
    from seqforge.state import State

Spec = Mapping[str, Any]
"""What a task must know of the data to build its network: plain JSON values."""


@dataclass(frozen=True)
class Term:
    """One part of a loss, as a sum and what it is a sum over.

    Attributes:
        total: Sum of the losses of all predicted items, a scalar with gradient.
        count: Number of predicted items (tokens, steps), a scalar.
        weight: Factor of this term in what is optimised.
    """

    total: Tensor
    count: Tensor
    weight: float = 1.0


class Loss(NamedTuple):
    """What `Task.loss` returns.

    Attributes:
        terms: Named sums. The count of the first one normalises the optimiser's step, over all
            accumulated batches and all ranks; each term is logged as its own total over its count.
        state: State to carry into the next batch; None for tasks that carry none.
    """

    terms: dict[str, Term]
    state: State = None


class Progress(NamedTuple):
    """Where training stands.

    Attributes:
        epoch: Epochs completed so far.
        step: Optimiser steps taken so far.
        fraction: Share of the planned optimiser steps taken, 0 to 1.
        seed: The run's seed. Random choices inside `Task.loss` come from it together with the
            epoch and the batch's sample numbers, so that they do not depend on the processes.
    """

    epoch: int
    step: int
    fraction: float
    seed: int = 0


class Text(NamedTuple):
    """A finished piece of text to show or to write."""

    body: str
    title: str = ""


class Piece(NamedTuple):
    """A fragment of text, given out as it is made; `last` ends the line."""

    body: str
    last: bool = False


class Table(NamedTuple):
    """Rows to show or to write as CSV."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""


class Figure(NamedTuple):
    """A matplotlib figure to log and to save as a picture."""

    figure: MatplotlibFigure
    title: str = ""


class Reading(NamedTuple):
    """A text as a task's encoder reads it, so that the reading can be looked into.

    Attributes:
        symbols: What each of the `T` positions shows; "" inside a character of several bytes. The
            last symbols of the text, which have no target, are left out.
        encoder: What reads; causal.
        inputs: `(1, T, I)`, what it reads.
        losses: From the encoder's outputs `(1, T, O)` to `E_t` in nats, `(T,)`, with gradients;
            `E_t` depends on output `t` alone.
        notes: What to know of the text, such as how much of it the task does not know.
    """

    symbols: Sequence[str]
    encoder: Encoder
    inputs: Tensor
    losses: Callable[[Tensor], Tensor]
    notes: Sequence[str] = ()


Preview = Text | Table | Figure
Output = Text | Piece | Table | Figure
Source = str | Path
"""An input to `Task.infer`: a str is data typed inline, a Path is a file, Path("-") is stdin."""


@dataclass
class NoOptions:
    """The options of a task whose inference has none."""


class Task(nn.Module):
    """Base class of all tasks.

    The constructor takes hyperparameters only: plain values, other tasks or image encoders, each
    kept as an attribute of the same name, because checkpoints store them by reading those
    attributes. The network is made in `build`, when the data's spec is known.

    Class attributes:
        monitor: Metric and mode ("min" or "max") by which checkpoints are selected.
        options: A dataclass: what a user can set at inference.
        example: Arguments for `seqforge infer CHECKPOINT` that a user may try first.
        full_precision: True keeps training in float32 where the hardware offers bfloat16.
        folders: Whether `infer -i` also takes folders and patterns such as `photos/*.jpg`, which
            the task then looks through itself.
    """

    monitor: ClassVar[tuple[str, str]] = ("val/loss", "min")
    options: ClassVar[type] = NoOptions
    example: str = "--help"
    full_precision: ClassVar[bool] = False
    folders: ClassVar[bool] = False

    def __init__(self) -> None:  # of its own: nn.Module's takes anything and stores nothing
        super().__init__()

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        """Make the network's modules. Called once, in fresh fits and when a checkpoint is loaded.

        Args:
            encoders: Makes the recurrent parts that the user has chosen, for a given input size.
            spec: The data's sizes, special ids and vocabularies; kept in the checkpoint.
        """
        raise NotImplementedError(f"{type(self).__name__} must define build(encoders, spec)")

    def initialise(self) -> None:
        """Load pretrained weights or the like, in place. Called once, when a fresh fit starts.

        Never when a checkpoint is loaded or a run is resumed. Every process calls it and must come
        to the same weights.
        """

    def prepare(self, data: DataModule) -> None:
        """Compute statistics of the training data into buffers, in place, after `initialise`.

        Every process calls it and must come to the same values.
        """

    def attach(self, data: DataModule) -> None:
        """Arrange with the data what a fit needs, such as features of a part that is frozen.

        Called when any fit starts, a resumed one too, with the weights as they are then: after
        `initialise` and `prepare`, on every process.
        """

    def start(self, batch_size: int) -> State:
        """Return the state with which a text (lane, series) begins; None if none is carried.

        The core calls it for the first batch and for rows that `Batch.starts` marks.
        """
        return None

    def learning_rates(self, progress: Progress) -> Mapping[str, float]:
        """Return factors on the learning rate for parts of the network, by submodule name.

        The names must be the same at every call. A factor of 0 keeps a part as it is; `loss` should
        then compute that part without gradients. Such parts get zero gradients, so that every rank
        always reduces the same parameters, and they can be let free at any step.
        """
        return {}

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        """Return the teacher-forced loss as sums, and the state to carry on.

        Args:
            batch: What the data module's collate function made.
            state: Carried state, already detached and reset where `batch.starts` says so.
            progress: For schedules inside the task (teacher forcing, unfreezing).
        """
        raise NotImplementedError(f"{type(self).__name__} must define loss(batch, state, progress)")

    def evaluate(self, batch: Batch) -> None:
        """Decode or forecast one validation batch freely and add it to the task's metrics."""

    def finish_evaluation(self) -> dict[str, float]:
        """Return the epoch's metrics, logged as `val/NAME`, and clear them.

        Values must be the same on all ranks: torchmetrics modules see to that. Called before the
        best checkpoint is written, so calibration belongs here.
        """
        return {}

    def measures(self, losses: Mapping[str, float]) -> dict[str, float]:
        """Return what follows from the mean losses of one evaluated loader, such as perplexity.

        Logged beside them: as `val/NAME` for the first loader, `val/LOADER/NAME` for another.

        Args:
            losses: The exact means over a whole loader, "loss" among them; the same on all ranks.
        """
        return {}

    def remarks(self) -> Sequence[str]:
        """Return lines on the metrics of the last pass, such as the signatures of scores.

        Shown by `seqforge validate` and `test` below the metrics; asked for after
        `finish_evaluation`.
        """
        return ()

    def preview(self, batch: Batch) -> Sequence[Preview]:
        """Return what to show of the present network: samples, tables, figures.

        Runs without gradients and in evaluation mode. Random choices must come from a generator of
        its own, so that looking at samples does not change the training.
        """
        return ()

    def predict(self, batch: Batch) -> Sequence[Mapping[str, object]]:
        """Return one prediction for each row of a batch, as plain values, for `seqforge predict`.

        Rows are predicted by themselves: no state is carried from batch to batch.
        """
        raise NotImplementedError(f"{type(self).__name__} does not offer predict")

    def reading(self, text: str) -> Reading:
        """Return a text as the encoder reads it, for `seqforge inspect`.

        Only for tasks with one causal encoder that reads text.
        """
        raise NotImplementedError(f"{type(self).__name__} does not offer reading")

    def infer(self, inputs: Iterable[Source], options: Any) -> Iterator[Output]:
        """Answer a user's inputs, one after the other, as they are made.

        Args:
            inputs: Inline data and files, in the order they were given.
            options: An instance of `self.options`.
        """
        raise NotImplementedError(f"{type(self).__name__} does not offer inference")
