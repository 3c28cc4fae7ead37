"""Greedy search: against `sample` at temperature 0."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.decoding import StepOut, greedy_search, sample
from seqforge.state import State
from tests.decoding import tables as toy
from tests.decoding.tables import END

tables = st.one_of(
    st.builds(toy.random_tables, items=st.integers(1, 7), seed=st.integers(0, 10**6)),
    st.builds(
        toy.even_tables,
        items=st.integers(1, 7),
        seed=st.integers(0, 10**6),
        levels=st.integers(1, 3),
    ),
)


@settings(deadline=None, max_examples=40)
@given(tables, st.data())
def test_it_is_sampling_at_temperature_zero(tables: Tensor, data: st.DataObject) -> None:
    maxima = [data.draw(st.integers(0, 6)) for _ in tables]
    found = greedy_search(
        toy.step, toy.first(tables), toy.memory(tables), end=END, max_length=torch.tensor(maxima)
    )

    for each, table, maximum in zip(found, tables, maxima, strict=True):
        start = toy.first(table[None]), toy.memory(table[None])
        steps = list(sample(toy.step, *start, length=maximum + 1, temperature=0.0, end=END))
        tokens = [int(step.tokens) for step in steps]
        assert each.finished == (END in tokens)
        assert each.tokens == tuple(tokens[:-1] if END in tokens else tokens[:maximum])
        taken = len(each.tokens) + each.finished
        log_prob = sum(float(step.log_probs) for step in steps[:taken])
        assert each.log_prob == each.score == pytest.approx(log_prob, abs=1e-5)
        pairs = [step.trace[0].tolist()[0] for step in steps[:taken]]
        assert each.trace[0].tolist() == pairs


def test_items_that_are_done_leave_the_batch() -> None:
    sizes = []

    def step(tokens: Tensor, state: State) -> StepOut:
        sizes.append(len(tokens))
        return toy.step(tokens, state)

    # The first ends at once, the others never.
    tables = torch.full((4, 5, 5, 5), 0.1).log()
    tables[0, ..., END], tables[1:, ..., 1] = math.log(0.6), math.log(0.6)
    found = greedy_search(step, toy.first(tables), toy.memory(tables), end=END, max_length=2)

    assert sizes == [4, 3, 3]
    assert [each.finished for each in found] == [True, False, False, False]
    assert [each.tokens for each in found] == [(), (1, 1), (1, 1), (1, 1)]


def test_banned_tokens_and_dead_ends() -> None:
    table = torch.full((1, 5, 5, 5), -math.inf)
    table[..., 0, 0, 1], table[..., 0, 0, 2] = -0.1, -2.0
    start = toy.first(table), toy.memory(table)

    (free,) = greedy_search(toy.step, *start, end=END, max_length=4)
    (other,) = greedy_search(toy.step, *start, end=END, max_length=4, banned=[0, 1])
    (none,) = greedy_search(toy.step, *start, end=END, max_length=4, banned=[1, 2])
    assert (free.tokens, free.finished) == ((1,), False)
    assert (other.tokens, other.log_prob) == ((2,), -2.0)
    assert (none.tokens, none.log_prob, none.finished) == ((), 0.0, False)
    with pytest.raises(ValueError, match="the end mark 4 is banned"):
        greedy_search(toy.step, *start, end=END, max_length=4, banned=[END])


def test_no_item_is_no_step() -> None:
    nothing = torch.zeros(0, dtype=torch.int64)

    assert greedy_search(toy.step, nothing, None, end=END, max_length=3) == []
