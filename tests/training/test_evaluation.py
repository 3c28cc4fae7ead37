"""One pass over the validation loaders: exact means, a state of its own, fillers left out."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from seqforge.data import Batch
from seqforge.state import State
from seqforge.task import Loss, Progress, Task, Term
from seqforge.training.evaluation import Evaluation

START = Progress(0, 0, 0.0)


class _Counting(Task):
    """Its loss is the number of batches that its state has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.decoded: list[int] = []

    def start(self, batch_size: int) -> State:
        return torch.zeros(batch_size, 1)

    def loss(self, batch: Batch, state: Any, progress: Progress) -> Loss:
        return Loss({"loss": Term(state.sum(), torch.tensor(len(batch.ids)))}, state + 1)

    def evaluate(self, batch: Batch) -> None:
        self.decoded += batch.ids.tolist()

    def finish_evaluation(self) -> dict[str, float]:
        return {"decoded": float(len(self.decoded))}


def _batch(*numbers: int, starts: Tensor | None = None) -> Batch:
    return Batch(ids=torch.tensor(numbers), starts=starts)


def _run(evaluation: Evaluation, loaders: Mapping[str, list[Batch]]) -> dict[str, float]:
    evaluation.begin(list(loaders))
    for number, batches in enumerate(loaders.values()):
        for index, batch in enumerate(batches):
            evaluation.add(batch, index, number, START)
    return evaluation.finish(world_size=1)


def test_means_are_over_items_and_the_state_is_carried_within_a_loader() -> None:
    task = _Counting()
    evaluation = Evaluation(task)
    loaders = {
        "stateful": [_batch(0, 1), _batch(2, 3), _batch(4, 5)],
        "cold": [_batch(0, 1), _batch(2, 3, starts=torch.tensor([True, False]))],
    }

    first, second = _run(evaluation, loaders), _run(evaluation, loaders)

    assert first == {"loss": 1.0, "cold/loss": 0.25, "decoded": 6.0}
    assert second == first | {"decoded": 12.0}
    assert task.decoded == [0, 1, 2, 3, 4, 5] * 2
    assert evaluation.first_batch is loaders["stateful"][0]


def test_uneven_batches_count_by_their_items() -> None:
    evaluation = Evaluation(_Counting())

    found = _run(evaluation, {"all": [_batch(0, 1, 2), _batch(3)]})

    assert found["loss"] == 0.0  # another number of rows starts afresh
    assert found["decoded"] == 4.0


class _Measuring(_Counting):
    """Gives each loss in another unit."""

    def measures(self, losses: Mapping[str, float]) -> dict[str, float]:
        return {"doubled": 2 * losses["loss"], "terms": float(len(losses))}


def test_every_loader_has_the_tasks_measures_of_its_own_means() -> None:
    evaluation = Evaluation(_Measuring())
    assert evaluation.derived == frozenset()
    batches = [_batch(0, 1), _batch(2, 3), _batch(4, 5)]

    found = _run(evaluation, {"stateful": batches, "cold": batches[:2]})

    assert found == {
        "loss": 1.0,
        "doubled": 2.0,
        "terms": 1.0,
        "cold/loss": 0.5,
        "cold/doubled": 1.0,
        "cold/terms": 1.0,
        "decoded": 6.0,
    }
    assert list(found)[:4] == ["loss", "doubled", "terms", "cold/loss"]
    assert evaluation.derived == {"doubled", "terms", "cold/doubled", "cold/terms"}


def test_a_measure_cannot_take_the_place_of_a_loss() -> None:
    class Replacing(_Counting):
        def measures(self, losses: Mapping[str, float]) -> dict[str, float]:
            return {"loss": 0.0}

    with pytest.raises(ValueError, match=r"replace a loss: \['loss'\]"):
        _run(Evaluation(Replacing()), {"all": [_batch(0, 1)]})


def test_fillers_count_for_nothing() -> None:
    task = _Counting()

    found = _run(Evaluation(task), {"all": [_batch(0, 1), _batch(2, 3), _batch(-1, -2)]})

    assert found["loss"] == pytest.approx(0.5)
    assert task.decoded == [0, 1, 2, 3]
