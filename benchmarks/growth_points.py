"""What `cost_growth.py` measures: one size of one study, in a process of its own.

The process is forked from a server that has imported everything and computed nothing. It runs the
work on the smallest size first, so that libraries, threads and their buffers are there; then it
builds the network of the wanted size. Memory is the most that the process had in anonymous pages
above what it had before that: parameters, gradients, the optimiser's moments and activations, not
files that are mapped. Seconds are the least of some repetitions.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.growth_series import series_epoch, series_reading
from benchmarks.growth_steps import START, Work, optimised, optimizer_of
from seqforge.cli.memory import keep_memory
from seqforge.data import TokenBatch
from seqforge.encoders import LSTM, EncoderFactory
from seqforge.layers import AdaptiveHead, Head, head_cross_entropy
from seqforge.state import detach
from seqforge.task import Term
from seqforge.text import CharacterVocabulary
from seqforge_tasks.char_generation import CharGeneration, GenerationOptions

SIGNS = 96
"""Of the character model's vocabulary."""
CHUNK = 64
"""Characters between which truncated backpropagation carries the state."""
CUTOFFS = (2000, 10_000)
"""Of the adaptive softmax, where the vocabulary has as many words."""
MEBIBYTE = 2**20

Build = Callable[[int], Work]


@dataclass(frozen=True)
class Point:
    """What is measured in one process.

    Attributes:
        way: A key of `WAYS`.
        size: What grows.
        smallest: The size that is run first.
        seconds: Repetitions go on for so long, but there are at least two.
        threads: Of torch.
    """

    way: str
    size: int
    smallest: int
    seconds: float
    threads: int


@dataclass(frozen=True)
class Measured:
    """What a point costs.

    Attributes:
        seconds: The least time of a repetition.
        mebibytes: Anonymous memory at its highest, above that before.
    """

    seconds: float
    mebibytes: float


def measured(point: Point) -> Measured:
    """Measure a point in this process."""
    keep_memory()  # as `seqforge fit` does
    torch.set_num_threads(point.threads)
    torch.manual_seed(0)
    build = WAYS[point.way]
    _repeated(build(point.smallest), 0.0)
    gc.collect()
    before = _status("RssAnon")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    seconds = _repeated(build(point.size), point.seconds)
    peak = _status("VmHWM") - _status("RssFile") - _status("RssShmem")
    return Measured(seconds, max(0.0, (peak - before) / 1024))


def _repeated(work: Work, seconds: float) -> float:
    work()  # the optimiser's moments are made, pages are touched
    times: list[float] = []
    while sum(times) < seconds or len(times) < 2:
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _status(field: str) -> int:
    """Return a line of the system's account of this process, in KiB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0])
    raise OSError(f"the system says nothing of {field}")


# -- the character model -----------------------------------------------------------------------


def characters(hidden_size: int) -> CharGeneration:
    """Return the character model: one layer of LSTM, embeddings of 128, 96 characters."""
    task = CharGeneration()
    signs = "".join(chr(32 + number) for number in range(SIGNS - 1))
    spec = {"vocabulary": CharacterVocabulary(signs).spec()}
    task.build(EncoderFactory(partial(LSTM, hidden_size=hidden_size, num_layers=1), {}), spec)
    return task


def training(rows: int, time_steps: int, chunk: int, hidden_size: int) -> Work:
    """Return the work of reading `rows` texts of `time_steps` characters in training.

    Args:
        rows: `B`.
        time_steps: `T`.
        chunk: Characters of a step of the optimiser; the state is carried to the next.
        hidden_size: Of the LSTM.
    """
    task = characters(hidden_size)
    optimizer = optimizer_of(task)
    tokens = torch.randint(1, SIGNS, (rows, time_steps + 1))

    def work() -> None:
        state = task.start(rows)
        for first in range(0, time_steps, chunk):
            last = min(first + chunk, time_steps)
            batch = TokenBatch(
                ids=torch.arange(rows),
                inputs=tokens[:, first:last],
                targets=tokens[:, first + 1 : last + 1],
                lengths=torch.full((rows,), last - first),
            )
            loss = task.loss(batch, state, START)
            optimised(optimizer, loss.terms["loss"])
            state = detach(loss.state)

    return work


def writing(length: int) -> Work:
    """Return the work of writing so many characters, one by one, by an LSTM of 256."""
    task, options = characters(256), GenerationOptions(length=length)

    def work() -> None:
        for _ in task.stream("The ", options):
            pass

    return work


# -- vocabularies ------------------------------------------------------------------------------

PREDICTIONS = 2048
"""Words that a batch predicts, distributed as Zipf's law has it."""


def predicting(features: int, make: Callable[[int, int], nn.Module], loss: str, words: int) -> Work:
    """Return the work of a training step of a head alone: loss, gradients, optimiser."""
    head = make(features, words)
    optimizer = optimizer_of(head)
    inputs = torch.randn(PREDICTIONS, features, requires_grad=True)
    frequencies = 1.0 / torch.arange(1, words + 1)
    targets = torch.multinomial(frequencies, PREDICTIONS, replacement=True)
    count = torch.tensor(PREDICTIONS)

    def work() -> None:
        inputs.grad = None
        optimised(optimizer, Term(LOSSES[loss](head, inputs, targets), count))

    return work


def _exact(head: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    assert isinstance(head, Head)
    return head_cross_entropy(head, inputs, targets).smoothed


def _plain(head: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(head(inputs), targets, reduction="sum")


def _adaptive(head: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    assert isinstance(head, AdaptiveHead)
    never = torch.zeros(head.bounds[-1], dtype=torch.bool)
    return head.cross_entropy(inputs, targets, never=never).smoothed


LOSSES = {"exact": _exact, "plain": _plain, "adaptive": _adaptive}


def adaptive_head(features: int, words: int) -> AdaptiveHead:
    """Return a head with clusters where the vocabulary has so many words, else at a quarter."""
    cutoffs = [each for each in CUTOFFS if each < words]
    return AdaptiveHead(features, words, cutoffs or [words // 4])


# -- all of it ---------------------------------------------------------------------------------


def _whole(length: int) -> Work:
    return training(8, length, length, 128)


def _truncated(length: int) -> Work:
    return training(8, length, CHUNK, 128)


def _hidden(hidden_size: int) -> Work:
    return training(32, 32, 32, hidden_size)


def _batch(rows: int) -> Work:
    return training(rows, 32, 32, 256)


WAYS: dict[str, Build] = {
    "whole": _whole,
    "truncated": _truncated,
    "hidden": _hidden,
    "batch": _batch,
    "writing": writing,
    "reading wide": partial(series_reading, "wide"),
    "reading long": partial(series_reading, "long"),
    "epoch": series_epoch,
    **{
        f"{loss} {features}": partial(predicting, features, make, loss)
        for features in (256, 512)
        for loss, make in (("plain", Head), ("exact", Head), ("adaptive", adaptive_head))
    },
}
