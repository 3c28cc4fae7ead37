from typing import Any, get_args

import pytest
import torch

from seqforge.errors import UserError
from seqforge_tasks.forecasting.heads.kinds import HeadKind, make_head


@pytest.mark.parametrize("kind", get_args(HeadKind))
def test_every_head_predicts_values_of_the_shape_it_is_given(kind: Any) -> None:
    head = make_head(kind, "mae", [0.1, 0.5, 0.9])
    raw = torch.randn(2, 4, 3, head.size, requires_grad=True)
    predictive = head(raw, torch.randn(2, 1, 3), torch.rand(2, 1, 3) + 0.5)
    loss = predictive.loss(torch.zeros(2, 4, 3))
    loss.sum().backward()

    assert loss.shape == predictive.point().shape == (2, 4, 3)
    assert predictive.sample(torch.rand(2, 2, 4, 3)).shape == (2, 4, 3)
    quantiles = predictive.quantiles([0.2, 0.5, 0.8])
    assert quantiles.shape == (2, 4, 3, 3)
    torch.testing.assert_close(quantiles[..., 1], predictive.point())
    assert bool((quantiles[..., 0] < quantiles[..., 2]).all()) == head.spreads
    assert raw.grad is not None
    assert bool((raw.grad != 0).any(dim=(0, 1, 2)).all())


def test_unknown_heads_are_named() -> None:
    with pytest.raises(UserError) as caught:
        make_head("gausian", "mse", [0.5])  # type: ignore[arg-type]

    assert str(caught.value).splitlines() == [
        "no head is named 'gausian'",
        "  where: model.task.head",
        "  accepted: gaussian, point, quantile, student_t",
        "  did you mean: gaussian",
    ]
