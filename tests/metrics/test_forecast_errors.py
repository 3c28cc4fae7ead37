"""Single errors, with the arithmetic written out."""

import pytest
import torch

from seqforge.metrics import overall_weighted_average, pinball, symmetric_percentage_error


def test_pinball_weighs_what_lies_above_and_below_a_quantile() -> None:
    found = pinball(torch.tensor([5.0, 5.0]), torch.tensor([[3.0, 6.0], [5.0, 9.0]]), [0.1, 0.9])

    # 0.1 * (5 - 3), (1 - 0.9) * (6 - 5); 0, (1 - 0.9) * (9 - 5)
    torch.testing.assert_close(found, torch.tensor([[0.2, 0.1], [0.0, 0.4]]))


def test_smape_has_m4s_factor_and_counts_nothing_where_both_are_zero() -> None:
    forecast = torch.tensor([3.0, 0.0, -1.0, 0.0, 2.0])
    target = torch.tensor([1.0, 0.0, 1.0, 4.0, 2.0])

    # 200 * 2 / 4, 0 / 0, 200 * 2 / 2, 200 * 4 / 4, 0
    expected = torch.tensor([100.0, 0.0, 200.0, 200.0, 0.0])
    torch.testing.assert_close(symmetric_percentage_error(forecast, target), expected)


def test_owa_is_the_mean_of_two_ratios() -> None:
    # (9.328 / 18.383 + 0.893 / 2.395) / 2: the winner of M4's hourly series, published as 0.440
    assert overall_weighted_average(9.328, 0.893, 18.383, 2.395) == pytest.approx(0.440, abs=5e-4)
