"""Sequences drawn by their places on the line of probabilities."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from seqforge.decoding import StepOut, draw_sequences
from seqforge.state import State

END, WORDS = 0, 4
TABLE = torch.tensor(
    [
        [0.25, 0.25, 0.25, 0.25],
        [0.5, 0.1, 0.1, 0.3],
        [0.0, 0.2, 0.8, 0.0],
        [0.1, 0.2, 0.3, 0.4],
    ]
)
"""P(next | last): a chain without memory."""


def chain(tokens: Tensor, state: State) -> StepOut:
    return StepOut(TABLE[tokens].log(), state)


def walk(first: int, places: list[float]) -> list[int]:
    """Draw a sequence by hand: the first token whose share of the line reaches beyond the place."""
    last, found = first, []
    for place in places:
        shares = TABLE[last].tolist()
        token = next(n for n in range(WORDS) if place < sum(shares[: n + 1]))
        last = token
        found.append(token)
        if token == END:
            break
    return found


# Not on the edges of shares, where rounding decides.
place = st.integers(0, 199).map(lambda number: (number + 0.5) / 200)
rows = st.lists(
    st.tuples(st.integers(1, 3), st.lists(place, min_size=6, max_size=6)), min_size=1, max_size=5
)


@given(rows)
def test_rows_are_drawn_as_by_hand(drawn: list[tuple[int, list[float]]]) -> None:
    firsts = torch.tensor([first for first, _ in drawn])
    found = draw_sequences(chain, firsts, None, torch.tensor([p for _, p in drawn]), END)
    for row, (first, places) in enumerate(drawn):
        expected = walk(first, places)
        assert found.tokens[row, : found.lengths[row]].tolist() == expected
        assert bool(found.finished[row]) == (expected[-1] == END)
        assert set(found.tokens[row, found.lengths[row] :].tolist()) <= {END}


@pytest.mark.parametrize("first", [1, 2, 3])
def test_tokens_come_as_often_as_the_model_says(first: int) -> None:
    count = 20_000
    places = torch.rand(count, 1, generator=torch.Generator().manual_seed(0))
    found = draw_sequences(chain, torch.full((count,), first), None, places, END)
    shares = Counter(found.tokens[:, 0].tolist())
    for token, share in enumerate(TABLE[first].tolist()):
        assert shares[token] / count == pytest.approx(share, abs=0.015)


def test_no_place_takes_the_likeliest_token() -> None:
    places = torch.full((2, 5), torch.nan)
    places[1, 1] = 0.05
    found = draw_sequences(chain, torch.tensor([3, 3]), None, places, END)
    assert found.tokens.tolist() == [[3, 3, 3, 3, 3], [3, 0, 0, 0, 0]]
    assert found.lengths.tolist() == [5, 2]
    assert found.finished.tolist() == [False, True]


def test_places_at_the_end_of_the_line_find_a_token_that_can_be() -> None:
    nearly = torch.nextafter(torch.tensor(1.0), torch.tensor(0.0))
    found = draw_sequences(chain, torch.tensor([2]), None, nearly.view(1, 1), END)
    assert found.tokens.tolist() == [[2]]  # the last token has no probability


def test_places_behind_the_line_find_the_likeliest_token() -> None:
    # The product of a place just below 1 and a sum just above it may round to that sum.
    table = torch.tensor([[0.0, 0.3, 0.7 + 2e-7, 0.0]])
    step = lambda tokens, state: StepOut(table[tokens * 0].log(), state)  # noqa: E731
    found = draw_sequences(step, torch.tensor([2]), None, torch.ones(1, 1), END)
    assert found.tokens.tolist() == [[2]]


def test_rows_end_at_their_limits() -> None:
    places = torch.full((4, 5), 0.5)
    places[3, :2] = torch.tensor([0.9, 0.05])  # an end at the limit
    limits = torch.tensor([5, 1, 3, 2])
    found = draw_sequences(chain, torch.tensor([3, 3, 3, 3]), None, places, END, limits)
    assert found.lengths.tolist() == [5, 1, 3, 2]
    assert found.finished.tolist() == [False, False, False, True]
    for row, length in enumerate(found.lengths.tolist()):
        assert END not in found.tokens[row, : length - int(found.finished[row])].tolist()
        assert set(found.tokens[row, length:].tolist()) <= {END}
