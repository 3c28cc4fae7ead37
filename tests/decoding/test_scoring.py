import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqforge.decoding import length_penalty


def test_it_is_the_formula() -> None:
    lengths = torch.tensor([[1, 7], [13, 19]])

    torch.testing.assert_close(length_penalty(lengths, 0.0), torch.ones(2, 2))
    torch.testing.assert_close(length_penalty(lengths, 1.0), torch.tensor([[1.0, 2.0], [3, 4]]))
    torch.testing.assert_close(length_penalty(lengths, 0.5), torch.tensor([[1, 2], [3, 4]]) ** 0.5)
    assert length_penalty(lengths, 0.6).dtype == torch.float32


@given(st.floats(0.0, 8.0) | st.floats(0.0, 1e308))
def test_it_never_falls_with_the_length(alpha: float) -> None:
    penalties = length_penalty(torch.arange(1, 300), alpha)

    assert (penalties.diff() >= 0).all()
    assert penalties.isfinite().all()
    assert penalties[0] == 1.0


@pytest.mark.parametrize("alpha", [-0.1, float("nan")])
def test_long_hypotheses_do_not_lose_twice(alpha: float) -> None:
    with pytest.raises(ValueError, match="length_penalty must be at least 0, not"):
        length_penalty(torch.ones(1), alpha)
