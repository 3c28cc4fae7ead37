import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seqforge.metrics import QUANTILES, ForecastScores, Spread
from seqforge_tasks.forecasting.heads.gaussian import GaussianHead

NUMBER = st.floats(-1e4, 1e4, width=32)
ZERO, ONE = torch.zeros(()), torch.ones(())


def test_numbers_of_zero_are_the_standard_normal_distribution_in_the_windows_scale() -> None:
    predictive = GaussianHead()(torch.zeros(1, 2), torch.tensor([3.0]), torch.tensor([2.0]))

    assert predictive.point().tolist() == [3.0]
    # the density of N(3, 2) at 5, one deviation off
    expected = 0.5 + math.log(2.0 * math.sqrt(2 * math.pi))
    assert predictive.loss(torch.tensor([5.0])).tolist() == pytest.approx([expected], rel=1e-5)


def test_quantiles_are_those_of_scipy() -> None:
    predictive = GaussianHead()(torch.tensor([[0.7, -2.0]]).double(), ZERO, ONE)
    deviation = float(predictive.distribution.stddev)
    levels = [0.01, 0.25, 0.5, 0.975]

    expected = stats.norm.ppf(levels, loc=0.7, scale=deviation)
    assert predictive.quantiles(levels)[0].tolist() == pytest.approx(list(expected), abs=1e-6)


@given(raw=st.lists(NUMBER, min_size=2, max_size=2), target=NUMBER)
@settings(max_examples=100, deadline=None)
def test_nothing_is_ever_infinite(raw: list[float], target: float) -> None:
    numbers = torch.tensor([raw], requires_grad=True)
    predictive = GaussianHead()(numbers, ZERO, ONE)
    loss = predictive.loss(torch.tensor([target]))
    loss.sum().backward()

    assert bool(loss.isfinite().all())
    assert numbers.grad is not None
    assert bool(numbers.grad.isfinite().all())


def test_samples_follow_the_distribution_and_come_from_the_numbers() -> None:
    predictive = GaussianHead()(torch.tensor([1.0, 0.5]).expand(20000, 2), ZERO, ONE)
    uniform = torch.rand(2, 20000, generator=torch.Generator().manual_seed(4))
    first, second = (predictive.sample(uniform) for _ in range(2))

    assert torch.equal(first, second)
    place = predictive.distribution.cdf(first).numpy()
    assert stats.kstest(place, "uniform").pvalue > 0.001


def test_its_crps_comes_near_the_closed_form() -> None:
    raw = torch.randn(200, 3, 1, 2, generator=torch.Generator().manual_seed(0)).double()
    target = torch.randn(200, 3, 1, generator=torch.Generator().manual_seed(1)).double()
    predictive = GaussianHead()(raw, ZERO, ONE)
    mean, deviation = predictive.distribution.mean, predictive.distribution.stddev
    place = (target - mean) / deviation
    cumulated, density = stats.norm.cdf(place), stats.norm.pdf(place)
    # Gneiting and Raftery 2007, equation 21
    exact = deviation.numpy() * (
        place.numpy() * (2 * cumulated - 1) + 2 * density - 1 / math.sqrt(math.pi)
    )
    scores = ForecastScores()
    spread = Spread(predictive.quantiles(QUANTILES))
    scores.update(predictive.point(), target, target.isfinite(), spread=spread)

    assert scores.finish()["crps"] == pytest.approx(exact.mean(), rel=0.05)
