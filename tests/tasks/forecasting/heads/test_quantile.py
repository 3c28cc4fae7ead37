import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge_tasks.forecasting.heads.quantile import QuantileHead, QuantilePredictive

NUMBER = st.floats(-1e4, 1e4, width=32)
ZERO, ONE = torch.zeros(()), torch.ones(())


@given(
    raw=st.lists(NUMBER, min_size=5, max_size=5),
    location=NUMBER,
    scale=st.floats(2.0**-20, 2.0**20, width=32),
    asked=st.lists(st.floats(0.001, 0.999), min_size=1, max_size=9, unique=True).map(sorted),
)
@settings(max_examples=200, deadline=None)
def test_quantiles_never_cross(
    raw: list[float], location: float, scale: float, asked: list[float]
) -> None:
    head = QuantileHead([0.05, 0.3, 0.5, 0.6, 0.95])
    predictive = head(torch.tensor([raw]), torch.tensor(location), torch.tensor(scale))

    for levels in (head.levels, asked, sorted({*head.levels, *asked})):
        found = predictive.quantiles(levels)
        assert bool(found.isfinite().all())
        assert bool((found.diff(dim=-1) >= 0).all())


@pytest.mark.parametrize("levels", [[0.1, 0.5, 0.9], [0.2, 0.7], [0.05, 0.1, 0.5, 0.8]])
def test_numbers_of_zero_are_the_normal_distribution(levels: list[float]) -> None:
    head = QuantileHead(levels)
    raw = torch.zeros(3, head.size, dtype=torch.float64)
    predictive = head(raw, torch.full((3,), 2.0), torch.full((3,), 10.0))

    # A normal distribution is met at every level, also beyond the outermost: 2 + 10 z
    for level, score in ((0.5, 0.0), (0.975, 1.959964), (0.01, -2.326348), (0.2, -0.841621)):
        found = predictive.quantiles([level])[..., 0]
        torch.testing.assert_close(
            found, torch.full_like(found, 2 + 10 * score), rtol=1e-5, atol=1e-5
        )
    torch.testing.assert_close(predictive.point(), torch.full_like(predictive.point(), 2.0))


def test_own_levels_are_given_as_they_are_beside_others() -> None:
    predictive = QuantileHead([0.1, 0.5, 0.9])(torch.randn(4, 3), ZERO, ONE)
    own = predictive.quantiles([0.1, 0.5, 0.9])
    found = predictive.quantiles([0.05, 0.1, 0.5, 0.7, 0.9])

    assert torch.equal(found[:, [1, 2, 4]], own)
    assert bool((found[:, 3] > own[:, 1]).all())
    assert bool((found[:, 3] < own[:, 2]).all())


def test_the_loss_is_twice_the_mean_pinball_loss() -> None:
    raw = torch.tensor([[0.3, -0.2]])
    low, high = QuantileHead([0.25, 0.75])(raw, ZERO, ONE).values[0].tolist()
    target = high + 2.0
    found = QuantileHead([0.25, 0.75])(raw, ZERO, ONE).loss(torch.tensor([target]))

    expected = 2 * (0.25 * (target - low) + 0.75 * (target - high)) / 2
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_the_loss_is_least_at_the_quantiles_of_a_skewed_distribution() -> None:
    """Of an exponential distribution, whose quantiles are -log(1 - level)."""
    levels = [0.1, 0.5, 0.9]
    places = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
    target = -torch.log1p(-places)
    exact = torch.tensor([-math.log(1 - level) for level in levels], dtype=torch.float64)

    def mean_loss(values: torch.Tensor) -> float:
        return float(QuantilePredictive(values.expand(4000, 3), levels).loss(target).mean())

    least = mean_loss(exact)
    for number in range(3):
        for change in (-0.05, 0.05):
            moved = exact.clone()
            moved[number] += change
            assert mean_loss(moved) > least + 1e-6


def test_samples_follow_the_distribution() -> None:
    predictive = QuantileHead([0.1, 0.5, 0.9])(
        torch.tensor([0.5, 0.1, 2.0]).expand(20000, 3), ZERO, ONE
    )
    drawn = predictive.sample(torch.rand(2, 20000, generator=torch.Generator().manual_seed(1)))

    for number, level in enumerate([0.1, 0.5, 0.9]):
        below = float((drawn < predictive.values[0, number]).float().mean())
        assert below == pytest.approx(level, abs=4 * math.sqrt(0.25 / 20000))


def test_a_single_quantile_stands_for_all() -> None:
    predictive = QuantileHead([0.3])(torch.zeros(2, 1), ZERO, ONE)

    assert predictive.quantiles([0.1, 0.9]).shape == (2, 2)
    assert torch.equal(predictive.quantiles([0.1])[..., 0], predictive.point())


@pytest.mark.parametrize("levels", [[], [0.0, 0.5], [0.5, 1.0], [0.5, 0.5], [0.9, 0.1]])
def test_levels_out_of_range_or_order_are_refused(levels: list[float]) -> None:
    with pytest.raises(UserError) as caught:
        QuantileHead(levels)

    assert str(caught.value).splitlines() == [
        f"quantiles {levels} are no increasing probabilities between 0 and 1",
        "  where: model.task.quantiles",
        "  to do: give levels such as [0.1, 0.5, 0.9]",
    ]
