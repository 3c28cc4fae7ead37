"""A recursive forecast is its own input, along one path or many."""

from dataclasses import replace

import pytest
import torch

from tests.tasks.forecasting.windows import batch, network, spec

HEADS = ["quantile", "gaussian", "student_t"]


def test_a_forecast_that_comes_true_goes_on_as_it_did() -> None:
    """Steps 3 and 4 ahead are steps 1 and 2 once two were observed as was forecast."""
    data = spec(known=["c"])
    made, one = network(data, "recursive", head="point"), batch(data)
    first = made.forecast(one, 6).point()
    later = replace(
        one,
        context=torch.cat([one.context, first[:, :2]], dim=1),
        observed=torch.ones(3, 14, 1, dtype=torch.bool),
        lengths=torch.full((3,), 14),
        past=torch.zeros(3, 14, 0).double(),
        known=torch.cat([one.known, one.known_future[:, :2]], dim=1),
        known_future=one.known_future[:, 2:],
    )

    torch.testing.assert_close(made.forecast(later, 4).point(), first[:, 2:], rtol=0, atol=1e-12)


@pytest.mark.parametrize("head", HEADS)
def test_paths_of_a_window_depend_on_nothing_else(head: str) -> None:
    data = spec(known=["c"], channels=["a", "b"])
    made, one = network(data, "recursive", head=head, normalisation="mean"), batch(data)
    levels = [0.1, 0.5, 0.9]
    expected = made.forecast(one).quantiles(levels)

    for row in range(3):
        alone = made.forecast(one.rows(torch.tensor([row]))).quantiles(levels)
        torch.testing.assert_close(alone[0], expected[row], rtol=0, atol=1e-9)
    shorter = made.forecast(one, 2).quantiles(levels)
    torch.testing.assert_close(shorter, expected[:, :2], rtol=0, atol=1e-9)
    assert not torch.allclose(expected[0], expected[1])


@pytest.mark.parametrize("head", HEADS)
def test_the_first_step_of_the_paths_is_what_the_head_says(head: str) -> None:
    data = spec()
    made, one = network(data, "recursive", head=head), batch(data, rows=100)
    drawn = made.forecast(one, 1).quantiles([0.25, 0.75])
    told = made.taught(one, None).predictive.quantiles([0.25, 0.75])[:, :1]

    # Over 100 windows of 50 paths each.
    torch.testing.assert_close(drawn.mean(dim=0), told.mean(dim=0), rtol=0, atol=0.12)
