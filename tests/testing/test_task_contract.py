import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from seqforge.data import Batch, DataModule, TokenBatch
from seqforge.encoders import LSTM
from seqforge.state import State
from seqforge.task import Loss, Output, Piece, Preview, Progress, Source, Table, Task, Term, Text
from seqforge.testing import TaskCase, check_task
from seqforge.testing.task_contract import (
    CHECKS,
    check_checkpoint,
    check_constructor,
    check_evaluation,
    check_inference,
    check_monitor,
    check_options,
    check_preview,
    check_rows,
    check_spec,
    check_state,
    check_sums,
    check_training,
)
from seqforge_tasks.char_generation import CharGeneration, GenerationOptions, TextFile

LINE = "the quick brown fox jumps over the lazy dog.\n"
ENCODER = partial(LSTM, hidden_size=8)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("text") / "text.txt"
    file.write_text(LINE * 12, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def data(text: Path) -> Callable[[], DataModule]:
    cache = str(text.parent / "cache")
    return lambda: TextFile(str(text), seq_len=8, batch_size=4, validation=0.25, cache=cache)


class Sound(CharGeneration):
    def __init__(self, embedding_size: int = 8) -> None:
        super().__init__(embedding_size, sample_length=5)


@pytest.fixture(scope="module")
def sound(data: Callable[[], DataModule]) -> TaskCase:
    return TaskCase(Sound, data, ENCODER, ["the ", "a"], GenerationOptions(length=5))


class Forgets(Sound):
    def __init__(self, width: int = 8) -> None:
        super().__init__(width)


class Doubles(Sound):
    def __init__(self, embedding_size: int = 8) -> None:
        super().__init__(embedding_size)
        self.embedding_size = 2 * embedding_size


class KeepsATensor(Sound):
    def __init__(self, weights: Tensor | None = None) -> None:
        super().__init__()
        self.weights = torch.ones(2)


class Untyped(Sound):
    def __init__(self, embedding_size=8) -> None:  # type: ignore[no-untyped-def]
        super().__init__(embedding_size)


class Sink(Sound):
    def __init__(self, **options: int) -> None:
        super().__init__()


@dataclasses.dataclass
class Unspeakable:
    shape: tuple[int, ...] = (1, 2)


class OtherOptions(Sound):
    options: ClassVar[type] = Unspeakable


class NoDataclass(Sound):
    options: ClassVar[type] = dict


class Climbs(Sound):
    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        loss = super().loss(batch, state, progress)
        term, sign = loss.terms["loss"], -1 if self.training else 1
        return Loss({"loss": Term(sign * term.total, term.count)}, loss.state)


class Wanders(Sound):
    """Trains as it should; in evaluation the loss has nothing to do with the network."""

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        loss = super().loss(batch, state, progress)
        term = loss.terms["loss"]
        total = term.total if self.training else 0 * term.total + 1
        return Loss({"loss": Term(total, term.count)}, loss.state)


class Explodes(Sound):
    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        loss = super().loss(batch, state, progress)
        term = loss.terms["loss"]
        return Loss({"loss": Term(term.total * torch.inf, term.count)}, loss.state)


class Unlogged(Sound):
    monitor: ClassVar[tuple[str, str]] = ("val/accuracy", "max")


class NoDirection(Sound):
    monitor: ClassVar[tuple[str, str]] = ("val/loss", "down")


class NoState(Sound):
    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        return Loss(super().loss(batch, state, progress).terms)


class NoStart(Sound):
    def start(self, batch_size: int) -> State:
        return None


class Mean(Sound):
    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        loss = super().loss(batch, state, progress)
        term = loss.terms["loss"]
        return Loss({"loss": Term(term.total / term.count, term.count)}, loss.state)


class CountsBatches(Sound):
    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        loss = super().loss(batch, state, progress)
        term = loss.terms["loss"]
        return Loss({"loss": Term(term.total, torch.ones(()))}, loss.state)


class OneForEachRow(Sound):
    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        loss = super().loss(batch, state, progress)
        term = loss.terms["loss"]
        return Loss({"loss": Term(term.total, term.count.expand(len(batch.ids)))}, loss.state)


class LooksAtNeighbours(Sound):
    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        loss = super().loss(batch, state, progress)
        term = loss.terms["loss"]
        assert isinstance(batch, TokenBatch)
        share = 1 + 1e-6 * batch.inputs.double().mean()
        return Loss({"loss": Term(term.total * share, term.count)}, loss.state)


class NeverClears(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def evaluate(self, batch: Batch) -> None:
        self.seen += len(batch.ids)

    def finish_evaluation(self) -> dict[str, float]:
        return {"seen": float(self.seen)}


class GivesTensors(Sound):
    def finish_evaluation(self) -> dict[str, float]:
        return {"half": torch.tensor(0.5)}  # type: ignore[dict-item]


class DrawsGlobally(Sound):
    def preview(self, batch: Batch) -> list[Preview]:
        return [Text(str(torch.rand(1).item()))]


class DrawsFromNumpy(Sound):
    def preview(self, batch: Batch) -> list[Preview]:
        return [Text(str(np.random.rand()))]


class LearnsFromLooking(Sound):
    def preview(self, batch: Batch) -> list[Preview]:
        self.head.bias.add_(1.0)
        return []


class ShowsAnything(Sound):
    def preview(self, batch: Batch) -> list[Preview]:
        return ["a str"]  # type: ignore[list-item]


class Silent(Sound):
    def infer(self, inputs: Iterable[Source], options: GenerationOptions) -> Iterator[Output]:
        return iter(())


class NeverEnds(Sound):
    def infer(self, inputs: Iterable[Source], options: GenerationOptions) -> Iterator[Output]:
        yield Piece("once upon a time")


class AnswersAnything(Sound):
    def infer(self, inputs: Iterable[Source], options: GenerationOptions) -> Iterator[Output]:
        yield "a str"  # type: ignore[misc]


class RemembersApart(Sound):
    """What it answers is not in its weights."""

    def build(self, encoders: Any, spec: Any) -> None:
        super().build(encoders, spec)
        self.secret = 0

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        self.secret += 1
        return super().loss(batch, state, progress)

    def infer(self, inputs: Iterable[Source], options: GenerationOptions) -> Iterator[Output]:
        yield Table(("secret",), [(self.secret,)])


BROKEN: list[tuple[Callable[[TaskCase], None], type[Task], str]] = [
    (check_constructor, Forgets, "must keep its constructor's argument 'width'"),
    (check_constructor, Doubles, "'embedding_size' is kept as 16; .* keeps 32"),
    (check_constructor, KeepsATensor, "'weights' is a Tensor"),
    (check_constructor, Untyped, "'embedding_size' has no type"),
    (check_constructor, Sink, r"takes \*\*options: int: name every option"),
    (check_options, OtherOptions, "Unspeakable.shape has type"),
    (check_options, NoDataclass, "which is no dataclass"),
    (check_training, Climbs, "the loss goes from"),
    (check_training, Wanders, "in 1 epochs the loss goes from 0.03125 to 0.03125"),
    (check_training, Explodes, "NonFiniteLoss: the loss is inf"),
    (check_monitor, Unlogged, "'val/accuracy' is not logged; these are: .*val/loss"),
    (check_monitor, NoDirection, "mode is 'down'"),
    (check_state, NoState, "loss a state of NoneType"),
    (check_state, NoStart, r"start\(\) gives none"),
    (check_sums, Mean, "every sample twice has a total of 'loss'"),
    (check_sums, CountsBatches, "every sample twice has a count of 'loss' of 1; .* add up to 2"),
    (check_training, OneForEachRow, r"the count of 'loss' is no scalar tensor but of shape \(4,\)"),
    (check_rows, LooksAtNeighbours, "a batch of 8 samples has a total of 'loss'"),
    (check_evaluation, NeverClears, "must clear the metrics"),
    (check_evaluation, GivesTensors, "gives a Tensor for 'half'"),
    (check_preview, DrawsGlobally, "global generator of torch"),
    (check_preview, DrawsFromNumpy, "global generator of numpy"),
    (check_preview, LearnsFromLooking, "preview changes 'head.bias'"),
    (check_preview, ShowsAnything, "preview gave a str"),
    (check_checkpoint, KeepsATensor, "'weights' is a Tensor"),
    (check_inference, Silent, "answers nothing to"),
    (check_inference, NeverEnds, "not marked with last=True"),
    (check_inference, AnswersAnything, "infer gave a str"),
    (check_inference, RemembersApart, "answer 0 after save and load"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_char_generation_passes(check: Callable[[TaskCase], None], sound: TaskCase) -> None:
    check(sound)


@pytest.mark.parametrize(
    ("check", "task", "message"), BROKEN, ids=[f"{c.__name__}-{t.__name__}" for c, t, _ in BROKEN]
)
def test_a_broken_task_fails_the_right_check(
    check: Callable[[TaskCase], None],
    task: type[Task],
    message: str,
    data: Callable[[], DataModule],
) -> None:
    options = GenerationOptions(length=5)

    with pytest.raises(AssertionError, match=message) as caught:
        check(TaskCase(task, data, ENCODER, ["the "], options, epochs=1))

    assert str(caught.value).startswith(f"{check.__name__}: ")


class TupleInSpec(TextFile):
    def spec(self) -> dict[str, Any]:
        return {**super().spec(), "sizes": (1, 2)}


class ArrayInSpec(TextFile):
    def spec(self) -> dict[str, Any]:
        return {**super().spec(), "sizes": np.ones(2)}


@pytest.mark.parametrize(
    ("module", "message"),
    [(TupleInSpec, r"'sizes' comes back from JSON as \[1, 2\]"), (ArrayInSpec, "ndarray")],
)
def test_a_spec_that_no_checkpoint_can_keep(
    module: type[TextFile], message: str, text: Path
) -> None:
    cache = str(text.parent / "cache")
    case = TaskCase(Sound, lambda: module(str(text), 8, 4, cache=cache), ENCODER, ["the "])

    with pytest.raises(AssertionError, match=message) as caught:
        check_spec(case)

    assert str(caught.value).startswith("check_spec: ")


def test_every_check_has_a_task_that_fails_it() -> None:
    assert {check for check, _, _ in BROKEN} | {check_spec} == set(CHECKS)


def test_all_checks_run_at_once(data: Callable[[], DataModule]) -> None:
    options = GenerationOptions(length=5)

    check_task(Sound, data, encoder=ENCODER, inputs=["the "], options=options, epochs=1)

    with pytest.raises(AssertionError, match=r"^check_constructor: .*'width'"):
        check_task(Forgets, data, encoder=ENCODER, inputs=["the "], epochs=1)


def test_data_without_validation_is_told_what_is_missing(text: Path) -> None:
    cache = str(text.parent / "cache")
    case = TaskCase(
        Sound,
        lambda: TextFile(str(text), 8, 4, validation=0.0, cache=cache),
        ENCODER,
        ["the "],
        epochs=1,
    )

    check_evaluation(case)
    with pytest.raises(AssertionError, match="'val/loss' is not logged"):
        check_monitor(case)


def test_checks_leave_the_global_generators_alone(data: Callable[[], DataModule]) -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]

    check_task(Sound, data, encoder=ENCODER, inputs=["the "], epochs=1)

    assert torch.get_rng_state().equal(torch_before)
    assert np.random.get_state()[1].tolist() == numpy_before  # type: ignore[index]
