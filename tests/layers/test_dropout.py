import torch

from seqforge.layers.dropout import draw_mask, locked_dropout, plain_dropout


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
