"""Every measure by hand, and the same whatever the batches and the ranks."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.metrics import QUANTILES, ForecastScores, Spread

# Two windows of three steps and one channel; the last step of the second one is missing.
TARGET = torch.tensor([[2.0, 4.0, 6.0], [1.0, 3.0, math.nan]]).unsqueeze(-1)
FORECAST = torch.tensor([[3.0, 4.0, 2.0], [1.0, 5.0, 7.0]]).unsqueeze(-1)
OBSERVED = ~TARGET.isnan()


def windows() -> dict[str, Tensor]:
    """Seven windows, with values missing."""
    chance = torch.Generator().manual_seed(3)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(7, *shape, generator=chance)

    quantiles = numbers(4, 2, 3).sort(dim=-1).values
    return {
        "forecast": quantiles[..., 1],
        "quantiles": quantiles,
        "target": numbers(4, 2),
        "observed": numbers(4, 2) > -1,
        "naive_error": numbers(2).clamp(min=0),
        "location": 5 + numbers(2),
        "scale": numbers(2).exp(),
    }


def add(scores: ForecastScores, data: dict[str, Tensor], rows: list[int]) -> None:
    part = {name: each[rows] for name, each in data.items()}
    quantiles = part.pop("quantiles")
    spread = Spread(quantiles, quantiles[..., :1], quantiles[..., 2:])
    scores.update(
        part["forecast"],
        part["target"],
        part["observed"],
        spread=spread,
        naive_error=part["naive_error"],
        location=part["location"],
        scale=part["scale"],
    )


def test_squared_and_absolute_errors_by_hand() -> None:
    scores = ForecastScores()
    scores.update(FORECAST, TARGET, OBSERVED)
    found = scores.finish()

    # Errors 1, 0, -4, 0, 2; the mean target is 16 / 5 = 3.2, its mean square 66 / 5 = 13.2.
    assert found["mse"] == pytest.approx((1 + 0 + 16 + 0 + 4) / 5)
    assert found["mae"] == pytest.approx((1 + 0 + 4 + 0 + 2) / 5)
    assert found["rmse"] == pytest.approx(math.sqrt(4.2))
    assert found["nrmse"] == pytest.approx(math.sqrt(4.2) / math.sqrt(13.2 - 3.2**2))
    # A point's CRPS is its absolute error; the absolute targets add up to 16.
    assert found["crps"] == pytest.approx(7 / 5)
    assert found["wql"] == pytest.approx(7 / 16)


def test_smape_is_a_mean_over_windows() -> None:
    scores = ForecastScores()
    scores.update(FORECAST, TARGET, OBSERVED)

    first = (200 * 1 / 5 + 0 + 200 * 4 / 8) / 3
    second = (0 + 200 * 2 / 8) / 2
    assert scores.finish()["smape"] == pytest.approx((first + second) / 2)


def test_smape_and_quantile_loss_are_of_the_data_whatever_the_units() -> None:
    """Values 10 and 20 seen as -1 and 1 with location 15 and scale 5, forecast as 0 and 1."""
    scores = ForecastScores()
    target, forecast = torch.tensor([[[-1.0], [1.0]]]), torch.tensor([[[0.0], [1.0]]])
    location, scale = torch.tensor([[15.0]]), torch.tensor([[5.0]])
    scores.update(forecast, target, target > -9, location=location, scale=scale)
    found = scores.finish()

    assert found["mae"] == pytest.approx(0.5)
    assert found["nrmse"] == pytest.approx(math.sqrt(0.5) / 1)
    assert found["smape"] == pytest.approx((200 * 5 / (10 + 15) + 0) / 2)
    assert found["wql"] == pytest.approx(5 / (10 + 20))


def test_mase_is_a_mean_over_windows_and_leaves_out_what_has_no_denominator() -> None:
    scores = ForecastScores()
    target = torch.cat([TARGET, TARGET, TARGET])
    forecast = torch.cat([FORECAST, FORECAST, FORECAST])
    observed = torch.cat([OBSERVED, OBSERVED, torch.zeros_like(OBSERVED)])
    naive = torch.tensor([0.5, 4.0, 0.0, math.nan, 1.0, 1.0]).unsqueeze(-1)
    scores.update(forecast, target, observed, naive_error=naive)
    found = scores.finish()

    # Mean absolute errors 5 / 3 and 2 / 2; the last two windows have no target at all.
    assert found["mase"] == pytest.approx(((5 / 3) / 0.5 + 1 / 4) / 2)
    assert found["mase_left_out"] == 2


def test_crps_and_weighted_quantile_loss_by_hand() -> None:
    scores = ForecastScores((), [0.25, 0.75])
    target, observed = torch.tensor([[[4.0], [2.0]]]), torch.ones(1, 2, 1, dtype=torch.bool)
    quantiles = torch.tensor([[[[3.0, 5.0]], [[3.0, 5.0]]]])
    scores.update(target, target, observed, spread=Spread(quantiles))
    found = scores.finish()

    # At 4: 0.25 * 1 and 0.25 * 1. At 2: 0.75 * 1 and 0.25 * 3.
    first, second = 2 * (0.25 + 0.25) / 2, 2 * (0.75 + 0.75) / 2
    assert found["crps"] == pytest.approx((first + second) / 2)
    assert found["wql"] == pytest.approx((first + second) / 6)


def test_coverage_and_width_by_hand() -> None:
    scores = ForecastScores([50.0, 97.5], [0.5])
    target = torch.tensor([[[0.0], [1.0], [2.0], [9.0]]])
    observed = torch.tensor([[[True], [True], [True], [False]]])
    low = torch.tensor([0.0, -1.0]).expand(1, 4, 1, 2)
    high = torch.tensor([1.0, 1.5]).expand(1, 4, 1, 2)
    scores.update(target, target, observed, spread=Spread(target.unsqueeze(-1), low, high))
    found = scores.finish()

    # 0 and 1 lie on the ends of the first interval, and 2 in neither.
    assert found["coverage_50"] == pytest.approx(100 * 2 / 3)
    assert found["coverage_97.5"] == pytest.approx(100 * 2 / 3)
    assert found["width_50"] == pytest.approx(1.0)
    assert found["width_97.5"] == pytest.approx(2.5)


def test_the_crps_of_a_normal_distribution_is_near_its_closed_form() -> None:
    chance = torch.Generator().manual_seed(0)
    target = torch.randn(50, 20, 2, generator=chance, dtype=torch.float64)
    # Gneiting and Raftery 2007, equation 21, for the standard normal distribution
    density = torch.exp(-target.square() / 2) / math.sqrt(2 * math.pi)
    cumulated = torch.special.ndtr(target)
    exact = target * (2 * cumulated - 1) + 2 * density - 1 / math.sqrt(math.pi)
    fine = [(number + 0.5) / 1000 for number in range(1000)]

    for levels, tolerance in ((QUANTILES, 0.05), (fine, 1e-3)):
        scores = ForecastScores((), levels)
        quantiles = torch.special.ndtri(torch.tensor(levels, dtype=torch.float64))
        spread = Spread(quantiles.expand(*target.shape, len(levels)))
        scores.update(torch.zeros_like(target), target, target.isfinite(), spread=spread)
        assert scores.finish()["crps"] == pytest.approx(float(exact.mean()), rel=tolerance)


def test_a_point_has_the_absolute_error_as_its_crps_at_any_spread_of_levels() -> None:
    points, spreads = ForecastScores(), ForecastScores()
    points.update(FORECAST, TARGET, OBSERVED)
    equal = FORECAST.unsqueeze(-1).expand(*FORECAST.shape, len(QUANTILES))
    spreads.update(FORECAST, TARGET, OBSERVED, spread=Spread(equal))

    assert points.finish() == pytest.approx(spreads.finish())


def test_the_naive_forecast_has_a_mase_of_one_in_training() -> None:
    series = torch.randn(1, 60, 1, generator=torch.Generator().manual_seed(1)).cumsum(1).double()
    error = (series[:, 4:] - series[:, :-4]).abs().mean(dim=1)
    scores = ForecastScores()
    scores.update(series[:, :-4], series[:, 4:], series[:, 4:].isfinite(), naive_error=error)

    assert scores.finish()["mase"] == pytest.approx(1)


def test_what_nothing_was_given_for_is_absent() -> None:
    scores = ForecastScores([80.0])
    assert scores.finish() == {}
    scores.update(torch.zeros(1, 2, 1), torch.zeros(1, 2, 1), torch.ones(1, 2, 1).bool())

    # All targets are 0: there is nothing to compare errors with.
    assert set(scores.finish()) == {"mse", "mae", "rmse", "smape", "crps"}
    assert scores.finish() == {}


@given(st.lists(st.integers(0, 7), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_the_size_of_batches_changes_nothing(places: list[int]) -> None:
    whole, parts = (ForecastScores([80.0], [0.1, 0.5, 0.9]) for _ in range(2))
    data = windows()
    add(whole, data, list(range(7)))
    ends = [0, *sorted(places), 7]
    for begin, end in pairwise(ends):
        add(parts, data, list(range(begin, end)))

    assert parts.finish() == pytest.approx(whole.finish(), rel=1e-12)


def test_a_large_mean_does_not_wash_out_the_deviation() -> None:
    target = 1e5 + torch.tensor([[[-1.0], [1.0]]], dtype=torch.float64)
    scores = ForecastScores()
    scores.update(target + 1, target, target.isfinite())

    assert scores.finish()["nrmse"] == pytest.approx(1, rel=1e-4)


def test_a_pass_in_inference_mode_can_be_followed_by_one_outside() -> None:
    scores = ForecastScores()
    with torch.inference_mode():
        scores.update(FORECAST, TARGET, OBSERVED)
        first = scores.finish()
    scores.update(FORECAST, TARGET, OBSERVED)

    assert scores.finish() == first
