import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.data import (
    Batch,
    Plan,
    PlanLoader,
    SequentialPlan,
    TokenBudgetPlan,
    padding_share,
    rank_slice,
)
from seqforge.data.permutation import permutation_key, permuted
from seqforge.errors import UserError

some_lengths = st.lists(st.integers(0, 30), min_size=1, max_size=80)
some_pairs = st.lists(st.tuples(st.integers(0, 15), st.integers(1, 15)), min_size=1, max_size=60)


def _epoch(plan: Plan, epoch: int) -> list[list[int]]:
    return [list(plan.batch(epoch, index)) for index in range(plan.batches())]


def _size(lengths: list[tuple[int, ...]], batch: list[int]) -> int:
    return len(batch) * int(np.array([lengths[number] for number in batch]).max(axis=0).sum())


def test_it_is_a_plan() -> None:
    assert isinstance(TokenBudgetPlan([3], 3), Plan)


@settings(deadline=None)
@given(
    lengths=st.one_of(some_lengths.map(lambda each: [(length,) for length in each]), some_pairs),
    max_tokens=st.integers(30, 200),
    batch_size=st.one_of(st.none(), st.integers(1, 10)),
    width=st.integers(1, 9),
    epoch=st.integers(0, 5),
    shuffle=st.booleans(),
)
def test_every_sample_once_within_the_budget(
    lengths: list[tuple[int, ...]],
    max_tokens: int,
    batch_size: int | None,
    width: int,
    epoch: int,
    shuffle: bool,
) -> None:
    plan = TokenBudgetPlan(lengths, max_tokens, 7, shuffle, batch_size, width)
    batches = _epoch(plan, epoch)

    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    assert all(batches)
    assert all(_size(lengths, batch) <= max_tokens for batch in batches)
    assert max(map(len, batches)) <= (batch_size or len(lengths))
    assert batches == _epoch(
        TokenBudgetPlan(lengths, max_tokens, 7, shuffle, batch_size, width), epoch
    )


@given(lengths=some_lengths, world_size=st.integers(1, 5), epoch=st.integers(0, 3))
def test_ranks_share_every_batch(lengths: list[int], world_size: int, epoch: int) -> None:
    for batch in _epoch(TokenBudgetPlan(lengths, 40), epoch):
        parts = [rank_slice(batch, rank, world_size) for rank in range(world_size)]

        assert [number for part in parts for number in part] == batch


def test_epochs_and_seeds_differ_and_lengths_are_mixed() -> None:
    lengths = np.random.default_rng(0).integers(1, 40, 3000)
    plan = TokenBudgetPlan(lengths, 200)
    first, second = _epoch(plan, 0), _epoch(plan, 1)
    longest = [lengths[batch].max() for batch in first]

    assert first != second != _epoch(TokenBudgetPlan(lengths, 200, seed=1), 1)
    assert abs(np.corrcoef(longest, np.arange(len(first)))[0, 1]) < 0.2
    # Not only the batches change places, their samples do too.
    assert len(set(map(frozenset, first)) & set(map(frozenset, second))) < len(first) / 10


def test_unshuffled_batches_ascend() -> None:
    lengths = np.random.default_rng(0).integers(1, 40, 300)
    order = [
        number
        for batch in _epoch(TokenBudgetPlan(lengths, 90, shuffle=False), 3)
        for number in batch
    ]

    assert (np.diff(lengths[order]) >= 0).all()


@pytest.mark.parametrize("sides", [1, 2])
def test_padding_is_counted_and_small(sides: int) -> None:
    draw = np.random.default_rng(0)
    source = draw.integers(1, 60, (4000, 1))
    lengths = np.concatenate([source, source + draw.integers(0, 9, source.shape)], axis=1)[
        :, :sides
    ]
    plan = TokenBudgetPlan(lengths, 1000)
    rows = [tuple(row) for row in lengths.tolist()]
    computed = sum(_size(rows, batch) for batch in _epoch(plan, 4))

    assert plan.padding() == pytest.approx(1 - lengths.sum() / computed)
    assert plan.padding() < 0.06


def test_a_wider_step_mixes_more_and_pads_more() -> None:
    lengths = np.random.default_rng(0).permutation(500) + 1
    narrow, wide = (TokenBudgetPlan(lengths, 2000, width=width) for width in (1, 20))
    groups = [
        [set(map(frozenset, _epoch(plan, epoch))) for epoch in (0, 1)] for plan in (narrow, wide)
    ]

    assert groups[0][0] == groups[0][1]
    assert groups[1][0] != groups[1][1]
    assert narrow.padding() < wide.padding() < 0.1


def test_equal_lengths_need_no_padding() -> None:
    assert TokenBudgetPlan([4] * 10, 16).padding() == 0.0
    assert TokenBudgetPlan([0] * 10, 16).padding() >= 0.0


def test_the_share_of_padding_is_read_off_a_loader() -> None:
    def collate(numbers: object, samples: list[int]) -> Batch:
        return Batch(ids=torch.tensor(samples))

    known, unknown = TokenBudgetPlan([1, 3], 6), SequentialPlan(2, 2)

    assert padding_share(PlanLoader(range(2), known, collate)) == pytest.approx(1 / 3)
    assert padding_share(PlanLoader(range(2), unknown, collate)) is None
    assert padding_share([]) is None


def test_a_sample_beyond_the_budget_is_refused() -> None:
    with pytest.raises(UserError, match=r"sample 1 has 9 tokens.*max_tokens is 8"):
        TokenBudgetPlan([[3, 4], [4, 5]], 8)


@pytest.mark.parametrize("lengths", [[], [-1], [[[1]]]])
def test_lengths_out_of_range_are_refused(lengths: list[int]) -> None:
    with pytest.raises(ValueError, match="lengths"):
        TokenBudgetPlan(lengths, 8)


def test_a_cap_of_no_row_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TokenBudgetPlan([1], 8, batch_size=0)


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6), epoch=st.integers(0, 99))
def test_permuted_is_a_permutation_of_each_group(sizes: list[int], epoch: int) -> None:
    places = np.concatenate([np.arange(size) for size in sizes])
    group = np.repeat(np.arange(len(sizes)), sizes)
    sent = permuted(places, np.repeat(sizes, sizes), group, permutation_key(0, epoch, 0))

    for number, size in enumerate(sizes):
        assert sorted(sent[group == number]) == list(range(size))


@pytest.mark.parametrize(("size", "orders"), [(2, 2), (3, 6), (4, 24)])
def test_all_permutations_are_about_equally_frequent(size: int, orders: int) -> None:
    one = np.ones(1, dtype=np.int64)
    seen = [
        tuple(permuted(np.arange(size), size * one, one, permutation_key(3, epoch, 1)))
        for epoch in range(100 * orders)
    ]
    counts = [seen.count(order) for order in set(seen)]

    assert len(counts) == orders
    assert sum((count - 100) ** 2 / 100 for count in counts) < 2.5 * orders


@pytest.mark.slow
def test_ten_million_samples_cost_little() -> None:
    plan = TokenBudgetPlan(np.random.default_rng(0).integers(1, 200, 10_000_000), 20_000)
    begun = time.perf_counter()
    for index in range(100):
        plan.batch(index, index)

    assert time.perf_counter() - begun < 2.0


def test_the_order_of_batches_is_one_permutation_across_blocks() -> None:
    plan = TokenBudgetPlan(np.ones(300, dtype=np.int64), max_tokens=1, seed=7)
    key = permutation_key(7, 3, 0)
    one = np.zeros(1, dtype=np.int64)
    expected = permuted(np.arange(300), one + 300, one, key)

    batches = [plan.batch(3, index) for index in range(300)]

    assert sorted(number for batch in batches for number in batch) == list(range(300))
    key = permutation_key(7, 3, 1)  # all samples are equally long, and change places too
    places = permuted(expected, one + 300, one, key)
    assert [number for batch in batches for number in batch] == places.tolist()
    # As every version has dealt them: a run that is resumed goes on with the rest.
    assert [batches[index][0] for index in (0, 1, 127, 128, 299)] == [43, 216, 254, 280, 204]
