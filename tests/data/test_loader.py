from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import pytest
import torch
from torch import Tensor

from seqforge.data import Batch, Draw, PlanLoader, SequentialPlan, ShuffledPlan


@dataclass(kw_only=True)
class Values(Batch):
    values: Tensor


def _collate(numbers: Sequence[int], samples: list[int]) -> Batch:
    return Batch(ids=torch.tensor([numbers, samples]).T)


def _loader(
    size: int = 23, batch_size: int = 4, rank: int = 0, world_size: int = 1, workers: int = 0
) -> PlanLoader[int]:
    return PlanLoader(
        range(1000, 1000 + size),
        ShuffledPlan(size, batch_size, seed=1),
        _collate,
        rank=rank,
        world_size=world_size,
        num_workers=workers,
    )


def _numbers(batches: Sequence[Batch]) -> list[list[int]]:
    return [batch.ids[:, 0].tolist() for batch in batches]


@pytest.mark.parametrize("workers", [0, 2])
def test_the_position_counts_what_was_delivered(workers: int) -> None:
    loader = _loader(workers=workers)
    iterator = iter(loader)
    for taken in range(4):
        assert loader.position() == {"epoch": 0, "delivered": taken}
        next(iterator)
    list(iterator)

    assert loader.position() == {"epoch": 1, "delivered": 0}


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", [1, 5, 6])
def test_resumed_loader_goes_on_with_the_rest(workers: int, taken: int) -> None:
    plain = _loader()
    whole = _numbers([*plain, *plain])
    first = _loader(workers=workers)
    begun = _numbers(list(islice(first, taken)))
    second = _loader(workers=workers)
    second.restore(**first.position())
    # A pass over a position at an epoch's end is the next epoch's.
    rest = _numbers([*second, *second]) if taken < 6 else _numbers(list(second))

    assert begun + rest == whole


def test_epochs_differ_unless_the_loader_is_fixed() -> None:
    loader = _loader()
    fixed = PlanLoader(range(23), ShuffledPlan(23, 4), _collate, fixed=True)

    assert _numbers(list(loader)) != _numbers(list(loader))
    assert _numbers(list(fixed)) == _numbers(list(fixed))


@pytest.mark.parametrize("world_size", [2, 3, 7])
def test_ranks_share_every_batch(world_size: int) -> None:
    alone = _numbers(list(_loader()))
    ranks = [
        _numbers(list(_loader(rank=rank, world_size=world_size))) for rank in range(world_size)
    ]

    assert {len(rank) for rank in ranks} == {len(alone)}
    for batch, parts in zip(alone, zip(*ranks, strict=True), strict=True):
        assert [number for part in parts for number in part if number >= 0] == batch


def test_a_rank_without_samples_gets_a_filler() -> None:
    loader = PlanLoader(range(1000, 1005), SequentialPlan(5, 4), _collate, rank=0, world_size=3)
    batches = list(loader)

    assert batches[-1].ids.tolist() == [[-1 - 4, 1004]]


def test_loading_draws_nothing_from_the_global_generator() -> None:
    before = torch.get_rng_state()
    list(_loader())

    assert torch.equal(torch.get_rng_state(), before)


class Noisy:
    """Samples that look different in each epoch."""

    def __getitem__(self, index: int) -> float:
        return float(index)

    def draw(self, draw: Draw) -> float:
        return draw.number + float(draw.generator().random())


def _collate_values(numbers: Sequence[int], samples: list[float]) -> Values:
    return Values(ids=torch.tensor(numbers), values=torch.tensor(samples, dtype=torch.float64))


def _values(world_size: int, num_workers: int, fixed: bool = False) -> list[list[float]]:
    """Return the samples of two epochs, by number."""
    epochs: list[dict[int, float]] = [{}, {}]
    for rank in range(world_size):
        loader = PlanLoader(
            Noisy(),
            ShuffledPlan(7, 4),
            _collate_values,
            rank=rank,
            world_size=world_size,
            num_workers=num_workers,
            fixed=fixed,
        )
        for epoch in epochs:
            for batch in loader:
                assert isinstance(batch, Values)
                epoch |= dict(zip(batch.ids.tolist(), batch.values.tolist(), strict=True))
    return [[epoch[number] for number in range(7)] for epoch in epochs]


def test_random_samples_depend_on_seed_epoch_and_number_alone() -> None:
    first, second = _values(1, 0)
    assert first != second
    assert _values(1, 2) == [first, second]
    assert _values(2, 0) == [first, second]
    assert _values(1, 0, fixed=True) == [[float(number) for number in range(7)]] * 2
