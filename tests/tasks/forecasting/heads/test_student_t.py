import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seqforge_tasks.forecasting.heads.student_t import (
    FEWEST,
    MOST,
    StudentTHead,
    StudentTPredictive,
)

NUMBER = st.floats(-1e4, 1e4, width=32)
ZERO, ONE = torch.zeros(()), torch.ones(())
SOME = torch.tensor([[0.0, 0.0, 0.0], [1.5, -3.0, -4.0], [-2.0, 1.0, 3.0]], dtype=torch.float64)


def frozen(predictive: StudentTPredictive, row: int) -> stats.rv_continuous:
    chosen = predictive.distribution
    return stats.t(float(chosen.df[row]), float(chosen.loc[row]), float(chosen.scale[row]))


def test_numbers_of_zero_are_ten_degrees_of_freedom_in_the_windows_scale() -> None:
    predictive = StudentTHead()(torch.zeros(1, 3), torch.tensor([3.0]), torch.tensor([2.0]))

    chosen = predictive.distribution
    assert float(chosen.df) == pytest.approx(10, rel=1e-5)
    assert float(chosen.loc) == 3.0
    assert float(chosen.scale) == pytest.approx(2.0, rel=1e-5)


def test_likelihood_and_quantiles_are_those_of_scipy() -> None:
    predictive = StudentTHead()(SOME, ZERO, ONE)
    target, levels = torch.tensor([0.3, -4.0, 9.0], dtype=torch.float64), [0.01, 0.3, 0.5, 0.99]
    found, losses = predictive.quantiles(levels), predictive.loss(target)

    for row in range(3):
        expected = frozen(predictive, row)
        assert found[row].tolist() == pytest.approx(list(expected.ppf(levels)), rel=1e-9)
        assert float(losses[row]) == pytest.approx(-expected.logpdf(float(target[row])), rel=1e-9)


@given(raw=st.lists(NUMBER, min_size=3, max_size=3), target=NUMBER)
@settings(max_examples=100, deadline=None)
def test_nothing_is_ever_infinite(raw: list[float], target: float) -> None:
    numbers = torch.tensor([raw], requires_grad=True)
    predictive = StudentTHead()(numbers, ZERO, ONE)
    loss = predictive.loss(torch.tensor([target]))
    loss.sum().backward()
    found = predictive.quantiles([0.01, 0.2, 0.5, 0.8, 0.99])

    assert FEWEST - 1e-5 <= float(predictive.distribution.df.detach()) <= MOST
    assert bool(predictive.distribution.variance.isfinite().all())
    assert bool(loss.isfinite().all())
    assert numbers.grad is not None
    assert bool(numbers.grad.isfinite().all())
    assert bool((found.diff(dim=-1) >= 0).all())


@pytest.mark.parametrize("row", range(3))
def test_samples_follow_the_distribution_and_come_from_the_numbers(row: int) -> None:
    predictive = StudentTHead()(SOME[row].float().expand(20000, 3), ZERO, ONE)
    uniform = torch.rand(2, 20000, generator=torch.Generator().manual_seed(6))
    first, second = (predictive.sample(uniform) for _ in range(2))

    assert torch.equal(first, second)
    place = frozen(predictive, 0).cdf(first.numpy())
    assert stats.kstest(place, "uniform").pvalue > 0.001
