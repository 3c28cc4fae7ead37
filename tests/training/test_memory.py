"""State carried over many chunks: flat memory, the numbers of one long unroll, no disturbance."""

import gc
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from seqforge import SequenceModule
from seqforge.data import Lanes, TokenBatch
from seqforge.encoders import GRU, LSTM, EncoderFactory
from seqforge.state import State, leaves
from seqforge.task import Progress
from seqforge.training import Carry, Constant
from tests.contracts import support
from tests.contracts.stateful_characters import Characters, StatefulCharacters

CHUNKS = 1000
START = Progress(0, 0, 0.0)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def anonymous_memory() -> int:
    """Return the process's own resident memory in bytes; mapped files do not count."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    pytest.skip("the system does not tell how much memory a process has")


def live_tensors() -> int:
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some objects warn when they are looked at
        return sum(isinstance(each, torch.Tensor) for each in gc.get_objects())


class Watch(pl.Callback):
    """Counts tensors and memory now and then."""

    def __init__(self) -> None:
        self.tensors: list[int] = []
        self.memory: list[int] = []

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx % 300 == 99:
            self.tensors.append(live_tensors())
            self.memory.append(anonymous_memory())


def stateful(encoder: Any = LSTM) -> SequenceModule:
    pl.seed_everything(0, verbose=False)
    return SequenceModule(
        StatefulCharacters(4),
        partial(encoder, hidden_size=8, num_layers=2),
        optimizer=partial(torch.optim.SGD, lr=0.1),
        schedule=Constant,
    )


def test_a_thousand_chunks_take_no_more_memory_than_a_hundred(tmp_path: Path) -> None:
    text = support.cyclic_text(9 * CHUNKS)
    watch = Watch()
    trainer = support.trainer(
        tmp_path, max_epochs=1, callbacks=[watch], limit_val_batches=0, precision="32-true"
    )
    trainer.fit(stateful(), datamodule=Characters(text, seq_len=4, batch_size=2))

    assert trainer.global_step >= CHUNKS
    assert len(watch.tensors) == 4
    assert len(set(watch.tensors)) == 1, watch.tensors
    assert max(watch.memory) - watch.memory[0] < 4 * 2**20, watch.memory


@pytest.mark.parametrize("encoder", [LSTM, GRU])
def test_chunks_are_one_long_unroll(encoder: Any) -> None:
    torch.manual_seed(1)
    data = Characters(support.cyclic_text(600), seq_len=10, batch_size=3)
    task = StatefulCharacters(4)
    task.build(EncoderFactory(partial(encoder, hidden_size=8, num_layers=2), {}), data.spec())
    task.double()
    plan = data.train.plan
    chunks = [chunk(data.train, plan.batch(0, index)) for index in range(plan.batches())]
    assert len(chunks) > 10

    carry = Carry()
    for index, batch in enumerate(chunks):
        task.zero_grad()
        loss = task.loss(batch, carry.take(task, batch), START)
        loss.terms["loss"].total.backward()
        carry.put(loss.state)
        ours = [weight.grad for weight in task.parameters()]
        if index in (0, 1, 7, len(chunks) - 1):
            expected, total, state = unrolled(task, chunks[: index + 1])
            torch.testing.assert_close(ours, expected, rtol=0, atol=1e-10)
            torch.testing.assert_close(loss.terms["loss"].total, total, rtol=0, atol=1e-10)
            torch.testing.assert_close(leaves(loss.state), leaves(state), rtol=0, atol=1e-12)


def chunk(lanes: Lanes, numbers: Any) -> TokenBatch:
    return Lanes.collate(numbers, [lanes[number] for number in numbers])


def unrolled(task: StatefulCharacters, chunks: list[TokenBatch]) -> tuple[Any, torch.Tensor, State]:
    """Read all chunks at once, cut the graph before the last one, return its gradients."""
    before, last = chunks[:-1], chunks[-1]
    state = task.start(len(last.ids))
    if before:
        inputs = torch.cat([each.inputs for each in before], dim=1)
        with torch.no_grad():
            _, state = task.encoder(task.embedding(inputs), state)
    loss = task.loss(last, state, START)
    total = loss.terms["loss"].total
    return list(torch.autograd.grad(total, list(task.parameters()))), total, loss.state


def test_validation_leaves_the_state_of_training_alone(tmp_path: Path) -> None:
    found = []
    for options in ({"limit_val_batches": 0}, {"val_check_interval": 3}):
        module = stateful()
        trainer = support.trainer(tmp_path, precision="64-true", **options)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*sync_dist=True.*")
            data = Characters(support.cyclic_text(), seq_len=10, batch_size=6)
            trainer.fit(module, datamodule=data)
        found.append((support.weights(module), module.carry.gather(1)))
    (weights, state), (other_weights, other_state) = found

    assert all(torch.equal(value, other_weights[name]) for name, value in weights.items())
    assert leaves(state)
    assert all(map(torch.equal, leaves(state), leaves(other_state)))
