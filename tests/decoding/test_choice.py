"""Tokens are chosen by each row's own chance, in blocks as in single steps."""

import pytest
import torch

from seqforge.decoding.choice import Choice, require_numbers


@pytest.mark.parametrize(
    ("size", "blocks"), [(7, [1, 30, 5, 64]), (1000, [3, 40]), (10**5, [1, 2])]
)
def test_noise_of_blocks_is_that_of_single_steps(size: int, blocks: list[int]) -> None:
    whole, single = Choice(1.0, 0, 1.0, [3, 4]), Choice(1.0, 0, 1.0, [3, 4])
    found = torch.cat([whole.noise(steps, size) for steps in blocks])

    assert found.shape == (sum(blocks), 2, size)
    assert found.dtype == torch.float64
    assert torch.equal(found, torch.cat([single.noise(1, size) for _ in range(sum(blocks))]))
    assert torch.equal(found[:, 1:], Choice(1.0, 0, 1.0, [4]).noise(sum(blocks), size))
    assert len(found.flatten().unique()) == found.numel()


def test_noise_is_gumbels() -> None:
    noise = Choice(1.0, 0, 1.0, [0]).noise(200, 500).flatten()
    # P(noise < x) = exp(-exp(-x)); 4 standard deviations of a share.
    for bound in (-1.0, 0.0, 1.0, 3.0):
        share = torch.exp(-torch.exp(torch.tensor(-bound, dtype=torch.float64)))
        found = (noise < bound).double().mean()
        assert abs(found - share) < 4 * (share * (1 - share) / len(noise)).sqrt()


def test_at_temperature_zero_there_is_no_noise() -> None:
    choice = Choice(0.0, 5, 0.5, [1])

    assert not choice.noise(2, 3).any()
    assert choice.from_all
    assert choice.tokens(torch.tensor([[0.1, 0.7, 0.7]])).tolist() == [1]


@pytest.mark.parametrize(("top_k", "top_p"), [(2, 1.0), (0, 0.9)])
def test_a_part_is_not_all(top_k: int, top_p: float) -> None:
    assert not Choice(1.0, top_k, top_p, [1]).from_all


def test_what_has_no_probability_is_not_drawn() -> None:
    log_probs = torch.tensor([[-torch.inf, 0.0, -torch.inf, -torch.inf]])
    choice = Choice(1e300, 0, 1.0, [0])

    assert {int(choice.tokens(log_probs)) for _ in range(200)} == {1}


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_what_is_no_finite_number_is_refused(value: float) -> None:
    require_numbers(torch.tensor([1.0, -3e38]))
    with pytest.raises(ValueError, match="not numbers: nothing can be drawn"):
        require_numbers(torch.tensor([1.0, value]))
