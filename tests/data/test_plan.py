from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.data import LanePlan, Plan, SequentialPlan, ShuffledPlan, rank_slice

sizes = st.integers(1, 60)
world_sizes = st.integers(1, 9)


def _epoch(plan: Plan, epoch: int) -> list[int]:
    return [number for index in range(plan.batches()) for number in plan.batch(epoch, index)]


@given(size=sizes, batch_size=sizes, seed=st.integers(0, 5), epoch=st.integers(0, 4))
def test_every_sample_comes_once_an_epoch(
    size: int, batch_size: int, seed: int, epoch: int
) -> None:
    shuffled, sequential = ShuffledPlan(size, batch_size, seed), SequentialPlan(size, batch_size)

    assert sorted(_epoch(shuffled, epoch)) == list(range(size))
    assert _epoch(sequential, epoch) == list(range(size))
    assert shuffled.batches() == sequential.batches() == -(-size // batch_size)
    assert all(
        len(plan.batch(epoch, index)) == batch_size
        for plan in (shuffled, sequential)
        for index in range(plan.batches() - 1)
    )


@given(lanes=sizes, chunks=sizes, epoch=st.integers(0, 3))
def test_lanes_hold_every_chunk_once_and_go_on(lanes: int, chunks: int, epoch: int) -> None:
    plan = LanePlan(lanes, chunks)

    assert sorted(_epoch(plan, epoch)) == list(range(lanes * chunks))
    for index in range(chunks - 1):
        here, there = plan.batch(epoch, index), plan.batch(epoch, index + 1)
        assert [number + 1 for number in here] == list(there)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    plan = ShuffledPlan(50, 7, seed=3)
    later = [list(plan.batch(4, index)) for index in (5, 0, 2)]
    other = ShuffledPlan(50, 7, seed=3)

    assert [list(other.batch(4, index)) for index in (5, 0, 2)] == later
    assert _epoch(plan, 0) != _epoch(plan, 1)
    assert _epoch(plan, 0) != _epoch(ShuffledPlan(50, 7, seed=4), 0)


@given(size=st.integers(0, 40), world_size=world_sizes)
def test_ranks_share_a_batch_without_rest(size: int, world_size: int) -> None:
    batch = list(range(100, 100 + size))
    parts = [list(rank_slice(batch, rank, world_size)) for rank in range(world_size)]

    assert [number for part in parts for number in part] == batch
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("plan", [ShuffledPlan, SequentialPlan, LanePlan])
@pytest.mark.parametrize("sizes", [(0, 1), (1, 0)])
def test_sizes_must_be_positive(plan: Callable[[int, int], Plan], sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="of at least 1, not 0"):
        plan(*sizes)
