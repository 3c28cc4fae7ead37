import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.layers.masking import final_output, last_valid, padding_mask, reverse_within


def test_padding_mask_is_true_at_padding() -> None:
    mask = padding_mask(torch.tensor([2, 0, 3]), 3)
    expected = [[False, False, True], [True, True, True], [False, False, False]]
    assert mask.tolist() == expected


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_reverse_within_matches_a_loop_and_undoes_itself(rows: list[int]) -> None:
    lengths = torch.tensor(rows)
    x = torch.randn(len(rows), 5, 2)
    reversed_ = reverse_within(x, lengths)
    for row, length in enumerate(rows):
        assert reversed_[row, :length].equal(x[row, :length].flip(0))
        assert reversed_[row, length:].equal(x[row, length:])
    assert reverse_within(reversed_, lengths).equal(x)


def test_last_valid_takes_initial_for_empty_rows() -> None:
    outputs = torch.arange(12.0).reshape(3, 2, 2)
    lengths = torch.tensor([1, 0, 2])
    initial = torch.full((3, 2), -1.0)
    assert last_valid(outputs, lengths).tolist() == [[0, 1], [0, 0], [10, 11]]
    assert last_valid(outputs, lengths, initial).tolist() == [[0, 1], [-1, -1], [10, 11]]


def test_last_valid_takes_any_trailing_dimensions() -> None:
    outputs = torch.arange(4.0).reshape(2, 2)
    assert last_valid(outputs, torch.tensor([1, 2])).tolist() == [0, 3]


def test_last_valid_gives_no_gradient_to_padding() -> None:
    outputs = torch.tensor([[1.0, float("nan")]], requires_grad=True)
    last_valid(outputs, torch.tensor([1])).sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.tolist() == [[1, 0]]


def test_final_output_of_a_causal_encoder_is_the_last_valid() -> None:
    outputs = torch.arange(8.0).reshape(2, 2, 2)
    assert final_output(outputs, torch.tensor([1, 2]), causal=True).tolist() == [[0, 1], [6, 7]]
    assert final_output(outputs, None, causal=True).tolist() == [[2, 3], [6, 7]]


def test_final_output_of_both_ways_takes_each_where_it_ends() -> None:
    outputs = torch.arange(12.0).reshape(3, 2, 2)
    lengths = torch.tensor([1, 2, 0])
    assert final_output(outputs, lengths, causal=False).tolist() == [[0, 1], [6, 5], [0, 0]]
    assert final_output(outputs, None, causal=False).tolist() == [[2, 1], [6, 5], [10, 9]]
