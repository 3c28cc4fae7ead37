import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.decoding.constraints import ban_repeats_, ban_tokens_, copy_into, maximum_lengths

VOCABULARY = 4
histories = st.integers(0, 7).flatmap(
    lambda length: st.lists(
        st.lists(st.integers(0, VOCABULARY - 1), min_size=length, max_size=length),
        min_size=1,
        max_size=4,
    )
)


@settings(deadline=None)
@given(histories, st.integers(1, 4))
def test_what_would_repeat_an_ngram_is_forbidden(history: list[list[int]], n: int) -> None:
    log_probs = torch.randn(len(history), VOCABULARY)
    given = torch.tensor(history, dtype=torch.int64).view(len(history), -1)
    found = ban_repeats_(log_probs.clone(), given, n)

    for row, before, past in zip(found, log_probs, history, strict=True):
        held = {tuple(past[at : at + n]) for at in range(len(past) - n + 1)}
        for token in range(VOCABULARY):
            last = (*past, token)[-n:]
            repeats = len(past) >= n and tuple(last) in held
            assert row[token] == (-torch.inf if repeats else before[token])


def test_ngrams_have_at_least_one_token() -> None:
    with pytest.raises(ValueError, match="at least 1 to forbid anything, not 0"):
        ban_repeats_(torch.zeros(1, 2), torch.zeros(1, 3, dtype=torch.int64), 0)


def test_banned_tokens_are_impossible() -> None:
    log_probs = torch.tensor([[-1.0, -2.0, -3.0], [-4.0, -5.0, -6.0]])
    found = ban_tokens_(log_probs.clone(), torch.tensor([2, 0]))

    assert found[:, 1].tolist() == [-2.0, -5.0]
    assert (found[:, [0, 2]] == -torch.inf).all()


def test_the_models_own_log_probabilities_stay_as_they_are() -> None:
    first, second = torch.randn(4, 3), torch.randn(2, 3, dtype=torch.float64)
    kept = second.clone()
    room = copy_into(None, first)
    copy = copy_into(room, second)
    ban_tokens_(copy, torch.tensor([1]))

    assert torch.equal(second, kept)
    assert copy.dtype == torch.float32
    assert copy.data_ptr() == room.data_ptr(), "the room is used again"
    # What grows gets more room.
    assert torch.equal(copy_into(copy, first), first)
    # A table of one row for all is copied as well.
    assert copy_into(None, torch.zeros(1, 3).expand(5, 3)).is_contiguous()


def test_maximum_lengths_are_one_for_all_or_one_for_each() -> None:
    first = torch.zeros(3, dtype=torch.int64)

    assert maximum_lengths(4, first).tolist() == [4, 4, 4]
    assert maximum_lengths(torch.tensor(4), first).tolist() == [4, 4, 4]
    assert maximum_lengths(torch.tensor([1, 0, 2]), first).tolist() == [1, 0, 2]
    with pytest.raises(ValueError, match=r"shape \(2,\) for 3 items"):
        maximum_lengths(torch.tensor([1, 2]), first)
    with pytest.raises(ValueError, match="at least 0, not -1"):
        maximum_lengths(torch.tensor([1, -1, 2]), first)
