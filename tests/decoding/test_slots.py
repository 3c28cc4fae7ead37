"""Slots: against definitions with lists."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.decoding import slots as slots_of_a_beam
from seqforge.decoding.slots import Slots, fill_slots, largest


def _expected(row: list[float], k: int) -> list[tuple[float, int]]:
    order = sorted(range(len(row)), key=lambda column: (-row[column], column))
    return [(row[column], column) for column in order[:k]]


def _scores(seed: int, rows: int, columns: int, levels: int, dead: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    scores = -torch.randint(levels, (rows, columns), generator=generator).float()
    return scores.masked_fill(torch.rand(rows, columns, generator=generator) < dead, -torch.inf)


# Wide rows, which are looked through in blocks, and narrow ones; few and many to take; ties.
@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10**6),
    st.one_of(st.integers(12, 40), st.integers(700, 1600), st.just(1536)),
    st.sampled_from([1, 2, 5, 8, 12]),
    st.sampled_from([1, 3, 10**6]),
    st.sampled_from([0.0, 0.5, 0.995, 1.0]),
)
def test_the_largest_are_those_of_a_stable_sort(
    seed: int, columns: int, k: int, levels: int, dead: float
) -> None:
    scores = _scores(seed, 3, columns, levels, dead)
    values, places = largest(scores, k)

    assert places.min() >= 0
    assert places.max() < columns
    for row, found, where in zip(scores.tolist(), values.tolist(), places.tolist(), strict=True):
        expected = _expected(row, k)
        assert found == [value for value, _ in expected]
        alive = [column for value, column in expected if value > -torch.inf]
        assert where[: len(alive)] == alive


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 10**6),
    st.one_of(st.integers(12, 40), st.integers(700, 1600), st.just(1536)),
    st.sampled_from([1, 5, 12]),
    st.sampled_from([3, 10**6]),
    st.data(),
)
def test_closed_columns_are_as_if_impossible(
    seed: int, columns: int, k: int, levels: int, data: st.DataObject
) -> None:
    scores = _scores(seed, 3, columns, levels, 0.3)
    # Of the likeliest too, so that a block's largest is one that counts not.
    likeliest = st.sampled_from(scores[0].argsort(descending=True)[:6].tolist())
    anywhere = st.integers(0, columns - 1)
    closed = torch.tensor(data.draw(st.lists(likeliest | anywhere, min_size=1, max_size=6)))
    before = scores.clone()
    values, places = largest(scores, k, closed)
    expected, expected_places = largest(scores.index_fill(1, closed, -torch.inf), k)

    assert torch.equal(scores, before)
    assert torch.equal(values, expected)
    alive = values > -torch.inf
    assert torch.equal(places[alive], expected_places[alive])


@pytest.mark.parametrize("columns", [700, 1000, 1536, 1600])
@pytest.mark.parametrize("levels", [3, 10**6])
@pytest.mark.parametrize("dead", [0.0, 0.5, 0.995])
def test_blocks_find_what_whole_rows_do(columns: int, levels: int, dead: float) -> None:
    # So many rows are looked through in blocks, each alone is not.
    for k in (1, 2, 5):
        scores = _scores(columns + k, 200, columns, levels, dead)
        closed = torch.tensor([columns - 1, 0, int(scores[0].argmax()), 130])
        assert columns <= slots_of_a_beam._SMALL < scores.numel()
        values, places = largest(scores, k, closed)
        for row, value, place in zip(scores, values, places, strict=True):
            expected, columns_expected = largest(row[None], k, closed)
            assert torch.equal(value, expected[0])
            alive = value > -torch.inf
            assert torch.equal(place[alive], columns_expected[0][alive])


def test_a_block_at_the_end_is_looked_into() -> None:
    scores = torch.zeros(1, 1000)
    scores[0, 999] = 2.0
    scores[0, 998] = 1.0

    assert [part.tolist() for part in largest(scores, 3)] == [[[2.0, 1.0, 0.0]], [[999, 998, 0]]]
    many = largest(scores.expand(200, -1), 3)
    assert [part[99].tolist() for part in many] == [[2.0, 1.0, 0.0], [999, 998, 0]]


@pytest.mark.parametrize("levels", [2, 10**6])
def test_blocks_of_rows_that_lie_apart_are_found(levels: int) -> None:
    scores = _scores(0, 200, 2000, levels, 0.1)[:, :1000]
    assert not scores.is_contiguous()

    for found, expected in zip(largest(scores, 5), largest(scores.contiguous(), 5), strict=True):
        assert torch.equal(found, expected)
    values, _ = largest(scores, 5)
    assert torch.equal(values, scores.topk(5, dim=1).values)


def test_what_is_impossible_is_not_found_twice() -> None:
    scores = torch.full((1, 1000), -torch.inf)
    scores[0, 3], scores[0, 7] = -2.0, -1.0
    values, places = largest(scores, 5)

    assert values.tolist() == [[-1.0, -2.0, -torch.inf, -torch.inf, -torch.inf]]
    assert places[0, :2].tolist() == [7, 3]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10**6),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 7),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.6]),
)
def test_each_slot_takes_the_best_that_is_left_up_to_it(
    seed: int, items: int, before: int, width: int, columns: int, dead: float
) -> None:
    totals = _scores(seed, items, before, 3, dead)
    log_probs = _scores(seed + 1, items * before, columns, 3, dead)
    slots = fill_slots(totals, log_probs, width)

    assert slots.totals.shape == slots.parents.shape == slots.tokens.shape == (items, width)
    for item in range(items):
        left = {
            (slot, token): float(totals[item, slot] + log_probs[item * before + slot, token])
            for slot in range(before)
            for token in range(columns)
        }
        for slot in range(width):
            reach = {place: total for place, total in left.items() if place[0] <= slot}
            best = max(
                reach, key=lambda place: (reach[place], -place[0], -place[1]), default=(0, 0)
            )
            total = reach.get(best, -torch.inf)
            assert slots.totals[item, slot] == total
            if total > -torch.inf:
                assert (int(slots.parents[item, slot]), int(slots.tokens[item, slot])) == best
                del left[best]


def test_a_beam_of_many_slots_is_filled_as_one_of_few() -> None:
    totals, log_probs = _scores(0, 2, 3, 10**6, 0.0), _scores(1, 6, 40, 10**6, 0.0)
    many, few = fill_slots(totals, log_probs, 20), fill_slots(totals, log_probs, 4)

    for wide, narrow in zip(many, few, strict=True):
        assert torch.equal(wide[:, :4], narrow)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(2, 6), st.data())
def test_slots_that_are_left_out_are_as_if_dead(
    seed: int, items: int, width: int, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(1, width))
    totals, log_probs = _scores(seed, items, width, 3, 0.2), _scores(seed, items * width, 7, 3, 0.2)
    orders = torch.rand(items, width, generator=torch.Generator().manual_seed(seed)).argsort(dim=1)
    places = orders[:, :kept].sort(dim=1).values
    dead = torch.full_like(totals, -torch.inf).scatter(1, places, totals.gather(1, places))
    expected = fill_slots(dead, log_probs, width)
    rows = (torch.arange(items)[:, None] * width + places).flatten()
    found = fill_slots(totals.gather(1, places), log_probs[rows], width, places=places)

    assert torch.equal(found.totals, expected.totals)
    alive = found.totals > -torch.inf
    assert torch.equal(found.tokens[alive], expected.tokens[alive])
    assert torch.equal(places.gather(1, found.parents)[alive], expected.parents[alive])


def test_slots_are_left_out_in_order() -> None:
    slots = Slots(-torch.arange(8.0).view(2, 4), *torch.arange(16).view(2, 2, 4))
    followed = torch.tensor([[False, True, False, True], [False, False, True, False]])

    narrow, places = slots.narrow(followed, 2)

    # The second item follows only one; another fills its row.
    assert places.tolist() == [[1, 3], [0, 2]]
    assert narrow.totals.tolist() == [[-1.0, -3.0], [-4.0, -6.0]]
    assert narrow.parents.tolist() == [[1, 3], [4, 6]]
    assert narrow.tokens.tolist() == [[9, 11], [12, 14]]
