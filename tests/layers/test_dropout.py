import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqforge.layers.dropout import Dropout, draw_mask, locked_dropout, plain_dropout


def test_mask_keeps_the_mean() -> None:
    torch.manual_seed(0)
    mask = draw_mask((200, 200), 0.25, torch.ones(1))
    assert set(mask.unique().tolist()) == {0.0, float(torch.tensor(1.0) / 0.75)}
    assert abs(float(mask.mean()) - 1) < 0.02


def test_mask_is_at_least_float32() -> None:
    assert draw_mask((1,), 0.5, torch.ones(1).bfloat16()).dtype == torch.float32
    assert draw_mask((1,), 0.5, torch.ones(1).double()).dtype == torch.float64


def test_locked_mask_is_the_same_at_all_steps_and_differs_by_row() -> None:
    torch.manual_seed(0)
    mask = draw_mask((2, 50), 0.5, torch.ones(1))
    dropped = locked_dropout(torch.ones(2, 4, 50), mask)
    assert all(dropped[:, t].equal(mask) for t in range(4))
    assert not mask[0].equal(mask[1])
    assert locked_dropout(torch.ones(2, 50), mask).equal(mask)


def test_locked_dropout_keeps_the_dtype() -> None:
    assert locked_dropout(torch.ones(1, 2).bfloat16(), torch.ones(1, 2)).dtype == torch.bfloat16


def test_plain_dropout_draws_for_each_step() -> None:
    torch.manual_seed(0)
    dropped = plain_dropout(torch.ones(1, 2, 50), 0.5)
    assert not dropped[:, 0].equal(dropped[:, 1])
    assert set(dropped.unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_plain_dropout_drops_at_its_rate_and_keeps_the_mean(rate: float) -> None:
    torch.manual_seed(0)
    count = 1_000_003  # no multiple of the four numbers that are drawn at once
    dropped = plain_dropout(torch.ones(count), rate)
    spread = (rate * (1 - rate) / count) ** 0.5
    assert abs(float((dropped == 0).float().mean()) - rate) < 5 * spread + 2**-16
    assert abs(float(dropped.mean(dtype=torch.float64)) - 1) < 5 * spread / (1 - rate)


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    kept = (plain_dropout(torch.ones(1_000_000), 0.3) > 0).double()
    for apart in range(1, 9):  # up to two draws of 64 bits
        pairs = torch.stack([kept[:-apart], kept[apart:]])
        assert abs(float(torch.corrcoef(pairs)[0, 1])) < 0.005


def test_the_gradient_passes_where_the_value_does() -> None:
    torch.manual_seed(0)
    x = torch.ones(7, 11, requires_grad=True)
    dropped = plain_dropout(x, 0.4)
    dropped.sum().backward()
    assert x.grad is not None
    assert x.grad.equal(dropped.detach())


@given(rate=st.floats(0, 1, exclude_max=True), shape=st.lists(st.integers(0, 5), max_size=3))
def test_any_rate_and_shape(rate: float, shape: list[int]) -> None:
    dropped = plain_dropout(torch.ones(shape, dtype=torch.bfloat16), rate)
    assert dropped.shape == torch.Size(shape)
    assert dropped.dtype == torch.bfloat16
    assert dropped.isfinite().all()


def test_the_layer_drops_in_training_only() -> None:
    torch.manual_seed(0)
    layer, x = Dropout(0.5), torch.ones(100)
    assert set(layer(x).unique().tolist()) == {0.0, 2.0}
    assert layer.eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert repr(layer) == "Dropout(0.5)"


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"a rate of dropout is at least 0 and below 1, not"):
        Dropout(rate)
