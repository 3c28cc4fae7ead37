"""Truncation: against definitions that try every set."""

import itertools
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.decoding import keep_top_k, keep_top_p

# Counts of one in so many: probabilities with exact sums, and with many ties.
counts = st.lists(st.integers(1, 6), min_size=1, max_size=6)
rows = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(1, 6), min_size=width, max_size=width), min_size=1, max_size=4
    )
)


def _scores(weights: list[list[int]]) -> Tensor:
    return torch.tensor(weights, dtype=torch.float64).log()


def _kept(scores: Tensor) -> list[set[int]]:
    return [set(row.isfinite().nonzero().flatten().tolist()) for row in scores]


def _smallest_set(weights: list[int], mass: Fraction) -> set[int]:
    """Return, of the smallest sets that have the mass, the likeliest, then the first one."""
    whole, numbers = sum(weights), range(len(weights))
    for size in range(1, len(weights) + 1):
        sets = [
            chosen
            for chosen in itertools.combinations(numbers, size)
            if Fraction(sum(weights[n] for n in chosen), whole) >= mass
        ]
        if sets:
            heaviest = max(sum(weights[n] for n in chosen) for chosen in sets)
            return set(min(c for c in sets if sum(weights[n] for n in c) == heaviest))
    raise AssertionError("all tokens together have the mass of one")


@settings(deadline=None)
@given(rows, st.integers(1, 7))
def test_top_k_keeps_the_likeliest_and_of_equals_the_first(
    weights: list[list[int]], k: int
) -> None:
    kept = keep_top_k(_scores(weights), k)

    for found, row in zip(_kept(kept), weights, strict=True):
        order = sorted(range(len(row)), key=lambda number: (-row[number], number))
        assert found == set(order[:k])
    assert torch.equal(kept[kept.isfinite()], _scores(weights)[kept.isfinite()])


@settings(deadline=None)
@given(rows, st.integers(0, 40))
def test_top_p_keeps_the_smallest_set_with_the_mass(weights: list[list[int]], part: int) -> None:
    # Sums of parts of at most 30 never have these masses: rounding decides nothing.
    mass = Fraction(part, 41) + Fraction(1, 10**6)
    kept = keep_top_p(_scores(weights), float(mass))

    assert _kept(kept) == [_smallest_set(row, mass) for row in weights]
    assert torch.equal(kept[kept.isfinite()], _scores(weights)[kept.isfinite()])


@settings(deadline=None)
@given(counts)
def test_the_smallest_mass_keeps_one_token_and_the_largest_all(weights: list[int]) -> None:
    best = weights.index(max(weights))

    assert _kept(keep_top_p(_scores([weights]), 0.0)) == [{best}]
    assert _kept(keep_top_p(_scores([weights]), 1e-300)) == [{best}]
    assert _kept(keep_top_k(_scores([weights]), 1)) == [{best}]
    assert _kept(keep_top_k(_scores([weights]), len(weights) + 3))[0] == set(range(len(weights)))


@settings(deadline=None)
@given(rows, st.floats(0.05, 0.95), st.integers(1, 5))
def test_rows_are_treated_by_themselves(weights: list[list[int]], p: float, k: int) -> None:
    scores = _scores(weights)

    for together, alone in (
        (keep_top_p(scores, p), [keep_top_p(row[None], p) for row in scores]),
        (keep_top_k(scores, k), [keep_top_k(row[None], k) for row in scores]),
    ):
        assert torch.equal(together, torch.cat(alone))


def test_the_mass_is_that_of_what_is_left() -> None:
    # 0.4, 0.3, 0.2, 0.1; of the first three, 4/9, 3/9, 2/9: two of them reach 0.75.
    scores = _scores([[4, 3, 2, 1]])

    assert _kept(keep_top_p(scores, 0.75)) == [{0, 1, 2}]
    assert _kept(keep_top_p(keep_top_k(scores, 3), 0.75)) == [{0, 1}]


def test_what_has_no_mass_is_not_brought_back() -> None:
    scores = torch.tensor([[0.0, -torch.inf, -1.0]])

    assert _kept(keep_top_p(scores, 0.999)) == [{0, 2}]
    assert _kept(keep_top_k(scores, 3)) == [{0, 2}]


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one token, not 0"):
        keep_top_k(torch.zeros(1, 2), 0)
    for p in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="top_p must be between 0 and 1"):
            keep_top_p(torch.zeros(1, 2), p)
