import pytest
import torch

from seqforge.errors import UserError
from seqforge_tasks.forecasting.heads.point import PointHead

RAW = torch.tensor([[0.5], [-1.0]])
LOCATION, SCALE = torch.tensor([1.0, 1.0]), torch.tensor([2.0, 4.0])


def test_numbers_are_brought_back_to_the_scale_of_the_data_module() -> None:
    predictive = PointHead()(RAW, LOCATION, SCALE)

    assert predictive.point().tolist() == [2.0, -3.0]  # 1 + 2 * 0.5, 1 + 4 * -1
    assert predictive.quantiles([0.1, 0.9]).tolist() == [[2.0, 2.0], [-3.0, -3.0]]
    assert predictive.sample(torch.rand(2, 2)).tolist() == [2.0, -3.0]


def test_losses_by_hand() -> None:
    target = torch.tensor([2.5, 0.0])  # errors 0.5 and 3

    def losses(head: PointHead) -> list[float]:
        found: list[float] = head(RAW, LOCATION, SCALE).loss(target).tolist()
        return found

    assert losses(PointHead("mse")) == [0.25, 9.0]
    assert losses(PointHead("mae")) == [0.5, 3.0]
    # the mean of the two above
    assert losses(PointHead("mixed")) == [0.375, 6.0]
    # half the square below 1; delta * (error - delta / 2) above
    assert losses(PointHead("huber")) == [0.125, 2.5]
    assert losses(PointHead("huber", delta=2.0)) == [0.125, 4.0]


def test_half_precision_is_scored_in_single() -> None:
    predictive = PointHead()(RAW.bfloat16(), LOCATION, SCALE)

    assert predictive.point().dtype == torch.float32


def test_unknown_losses_are_named() -> None:
    with pytest.raises(UserError) as caught:
        PointHead("hubber")  # type: ignore[arg-type]

    assert str(caught.value).splitlines() == [
        "no loss of a point forecast is named 'hubber'",
        "  where: model.task.error",
        "  accepted: huber, mae, mixed, mse",
        "  did you mean: huber",
    ]


def test_hubers_loss_needs_a_place_to_change_over() -> None:
    with pytest.raises(UserError, match=r"cannot change over at an error of 0\.0"):
        PointHead("huber", delta=0.0)
