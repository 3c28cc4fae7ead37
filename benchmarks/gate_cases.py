"""The cases of `gate.py`: each yields the seconds of bare work and of seqforge's, turn by turn."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.cli.trainer_settings import default_loggers
from seqforge.data import Batch
from seqforge.decoding import StepOut, beam_search
from seqforge.encoders import LSTM, EncoderFactory
from seqforge.state import State, detach
from seqforge.task import Progress, Task
from seqforge.training import (
    AtomicCheckpointIO,
    Checkpointer,
    RandomState,
    Samples,
    SequenceModule,
)
from seqforge_tasks.char_generation import CharGeneration, TextFile
from seqforge_tasks.char_generation.options import GenerationOptions
from seqforge_tasks.translation import EnglishFrench, Translation

Turns = Iterator[tuple[float, float]]
Case = Callable[[], Turns]

WARM = 5
"""Turns that are not counted."""
SYMBOLS = "abcdefghijklmnopqrstuvwxyz .,;"


# -- training ---------------------------------------------------------------------------------


class BareSteps:
    """Steps of training as one writes them by hand.

    Args:
        task: A network that is built.
        optimizer: None: PyTorch's AdamW, fused as seqforge has it.
        precision: Makes the context in which the loss is computed.
    """

    def __init__(
        self,
        task: Task,
        optimizer: torch.optim.Optimizer | None = None,
        precision: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.task = task
        self._precision = precision
        self._optimizer = optimizer or torch.optim.AdamW(
            task.parameters(), lr=0.002, weight_decay=0.01, fused=True
        )
        self._state: State = None

    def __call__(self, batch: Batch) -> None:
        """Learn from a batch; the state goes on to the next one."""
        state = self.task.start(len(batch.ids)) if self._state is None else self._state
        with self._precision():
            loss = self.task.loss(batch, state, Progress(0, 0, 0.0))
        terms = list(loss.terms.values())
        total = torch.stack([term.weight * term.total for term in terms]).sum()
        self._optimizer.zero_grad()
        (total / terms[0].count).backward()
        nn.utils.clip_grad_norm_(self.task.parameters(), 1.0)
        self._optimizer.step()
        self._state = None if loss.state is None else detach(loss.state)


class Alternating:
    """Batches for a trainer; between two of them the bare loop takes its step.

    Args:
        batches: Of which a trainer learns.
        bare: The same step by hand.

    Attributes:
        turns: Seconds of the bare step and of the trainer's.
    """

    def __init__(self, batches: Sequence[Batch], bare: Callable[[Batch], None]) -> None:
        self.batches = batches
        self.turns: list[tuple[float, float]] = []
        self._bare = bare

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches: what lies between two is a whole step of the trainer."""
        for batch in self.batches:
            given = time.process_time()
            yield batch
            back = time.process_time()
            self._bare(batch)
            self.turns.append((time.process_time() - back, back - given))


def training_step() -> Turns:
    """A step under a trainer with the command line's callbacks and loggers."""
    torch.manual_seed(0)
    encoder = partial(LSTM, hidden_size=64, num_layers=2)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data = TextFile(batch_size=16, seq_len=25, validation=0.0, cache=str(folder))
        data.setup("fit")
        batches = [batch for batch, _ in zip(data.train_dataloader(), range(160), strict=False)]
        task = CharGeneration()
        task.build(EncoderFactory(encoder), data.spec())
        alternating = Alternating(batches, BareSteps(task))
        trainer = pl.Trainer(
            accelerator="cpu",
            precision="32-true",
            max_epochs=1,
            gradient_clip_val=1.0,
            num_sanity_val_steps=0,
            limit_val_batches=0,
            log_every_n_steps=10,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
            logger=default_loggers(folder, 0),
            callbacks=[RandomState(), Samples(every_epochs=0), Checkpointer()],
            plugins=[AtomicCheckpointIO()],
        )
        module = SequenceModule(CharGeneration(), encoder, spec=data.spec())
        trainer.fit(module, train_dataloaders=alternating, val_dataloaders=batches[:1])
    yield from alternating.turns[WARM:]


def loading() -> Turns:
    """A step of a tiny translation network on the loader's batches, against ready-made ones."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        data = EnglishFrench(
            pairs=3000, validation_pairs=10, test_pairs=10, vocabulary_size=300, cache=folder
        )
        data.setup("fit")
        task = Translation(embedding_size=16)
        task.build(EncoderFactory(partial(LSTM, hidden_size=16)), data.spec())
        step, loader = BareSteps(task), data.train_dataloader()
        ready, turns = list(loader), []
        loader.restore(epoch=0, delivered=0)
        fresh = iter(loader)  # the same batches, made anew
        for batch in ready:
            started = time.process_time()
            step(batch)
            between = time.process_time()
            step(next(fresh))
            turns.append((between - started, time.process_time() - between))
    yield from turns[WARM:]


# -- decoding ---------------------------------------------------------------------------------


def _character_task() -> CharGeneration:
    torch.manual_seed(0)
    task = CharGeneration(embedding_size=32)
    spec = {"vocabulary": {"kind": "characters", "characters": SYMBOLS}}
    task.build(EncoderFactory(partial(LSTM, hidden_size=64)), spec)
    return task.eval()


def generation() -> Turns:
    """Writing 100 characters, against a loop over the same products and draws."""
    task, count = _character_task(), 100
    options = GenerationOptions(length=count)
    (layer,) = task.encoder.layers  # type: ignore[union-attr]
    weights: dict[str, Tensor] = dict(layer.rnn.named_parameters())
    matrix = torch.cat([weights["weight_ih_l0"], weights["weight_hh_l0"]], dim=1)
    bias = weights["bias_ih_l0"] + weights["bias_hh_l0"]
    generator = torch.Generator().manual_seed(0)

    @torch.inference_mode()
    def by_hand() -> str:
        token, numbers = torch.zeros(1, dtype=torch.int64), []
        hidden = cell = torch.zeros(1, 64)
        for _ in range(count):
            inputs = torch.cat([F.embedding(token, task.embedding.weight), hidden], dim=1)
            i, f, g, o = F.linear(inputs, matrix, bias).chunk(4, dim=1)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
            scores = F.linear(hidden, task.head.weight, task.head.bias)
            chances = (scores / options.temperature).softmax(dim=1)
            token = torch.multinomial(chances, 1, generator=generator)[0]
            numbers.append(token.item())
        return "".join(SYMBOLS[int(number) % len(SYMBOLS)] for number in numbers)

    yield from _in_turn(by_hand, lambda: task.generate("a", options), 40)


def beam() -> Turns:
    """Beam search over 8 items, against the calls of its step alone."""
    task, rows = _character_task(), 8
    advance, head = task.encoder.stepper(), task.head
    calls: list[tuple[Tensor, State]] = []

    def step(tokens: Tensor, state: State) -> StepOut:
        outputs, state = advance(task.embedding(tokens), state)
        return StepOut(head(outputs).log_softmax(dim=1), state)

    def noted(tokens: Tensor, state: State) -> StepOut:
        calls.append((tokens, state))
        return step(tokens, state)

    def search(of: Callable[[Tensor, State], StepOut]) -> Any:
        first = torch.arange(rows) + 1
        return beam_search(of, first, task.start(rows), end=0, max_length=25, min_length=25)

    search(noted)

    @torch.inference_mode()
    def by_hand() -> None:
        for tokens, state in calls:
            step(tokens, state)

    yield from _in_turn(by_hand, lambda: search(step), 40)


def _in_turn(bare: Callable[[], object], own: Callable[[], object], count: int) -> Turns:
    for number in range(count + WARM):
        started = time.process_time()
        bare()
        between = time.process_time()
        own()
        if number >= WARM:
            yield between - started, time.process_time() - between


CASES: dict[str, Case] = {
    "training step": training_step,
    "loading": loading,
    "generation": generation,
    "beam search": beam,
}
