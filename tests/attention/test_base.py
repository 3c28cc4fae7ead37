"""What every kind of attention does: weigh what is there, ignore what is not."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attention.sources import KINDS, attention, draw

each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_weights_are_a_distribution_and_exactly_zero_at_padding(kind: str) -> None:
    made, values, lengths = attention(kind), draw(3, 6, 4), torch.tensor([6, 2, 1])
    found = made(draw(3, 5, 4, seed=1), made.remember(values, lengths))

    ones = torch.ones(3, 5, dtype=torch.float64)
    torch.testing.assert_close(found.weights.sum(dim=2), ones)
    padding = torch.arange(6) >= lengths[:, None]
    assert (found.weights.transpose(1, 2)[padding] == 0).all()
    assert (found.weights.transpose(1, 2)[~padding] > 0).all()
    torch.testing.assert_close(found.weights[2, :, 0], ones[2])
    for row in range(3):
        expected = found.weights[row] @ values[row]
        torch.testing.assert_close(found.context[row], expected, rtol=0, atol=1e-12)


@each_kind
def test_a_row_without_a_source_finds_nothing_and_stays_finite(kind: str) -> None:
    made, values = attention(kind), draw(2, 3, 4).requires_grad_()
    queries = draw(2, 2, 4, seed=1).requires_grad_()
    found = made(queries, made.remember(values, torch.tensor([0, 3])))
    found.context.sum().backward()

    assert (found.weights[0] == 0).all()
    assert (found.context[0] == 0).all()
    assert values.grad is not None
    assert queries.grad is not None
    assert values.grad.isfinite().all()
    assert queries.grad.isfinite().all()
    assert (values.grad[0] == 0).all()


@each_kind
def test_without_lengths_all_of_the_source_is_there(kind: str) -> None:
    made, values, queries = attention(kind), draw(2, 4, 4), draw(2, 3, 4, seed=1)
    whole = made(queries, made.remember(values))
    told = made(queries, made.remember(values, torch.tensor([4, 4])))

    assert torch.equal(whole.weights, told.weights)
    assert (whole.weights > 0).all()


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    extra=st.integers(1, 4),
    junk=st.floats(-1e3, 1e3),
)
def test_padding_changes_nothing(kind: str, lengths: list[int], extra: int, junk: float) -> None:
    made, rows, time = attention(kind), len(lengths), max(lengths)
    results = []
    for padding in (0, extra):
        values = torch.full((rows, time + padding, 4), junk, dtype=torch.float64)
        values[:, :time] = draw(rows, time, 4)
        values.requires_grad_()
        queries = draw(rows, 3, 4, seed=1).requires_grad_()
        found = made(queries, made.remember(values, torch.tensor(lengths)))
        parameters = list(made.parameters())
        total = (found.context * draw(rows, 3, 4, seed=2)).sum()
        gradients = torch.autograd.grad(total, [values, queries, *parameters])
        results.append((found.context, found.weights[:, :, :time], gradients))
        assert (found.weights[:, :, time:] == 0).all()
        assert (gradients[0][:, time:] == 0).all()
    (context, weights, gradients), (other, others, longer) = results
    torch.testing.assert_close(other, context, rtol=0, atol=1e-12)
    torch.testing.assert_close(others, weights, rtol=0, atol=1e-12)
    torch.testing.assert_close(longer[0][:, :time], gradients[0], rtol=0, atol=1e-12)
    for one, two in zip(longer[1:], gradients[1:], strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-12)


@each_kind
def test_half_precision_sources_are_weighed_in_single_precision(kind: str) -> None:
    made = attention(kind).float()
    values, queries = draw(2, 5, 4).float(), draw(2, 3, 4, seed=1).float()
    lengths = torch.tensor([5, 2])
    expected = made(queries, made.remember(values, lengths))
    with torch.autocast("cpu", torch.bfloat16):
        found = made(queries.bfloat16(), made.remember(values.bfloat16(), lengths))

    assert found.weights.dtype == torch.float32
    torch.testing.assert_close(found.weights, expected.weights, rtol=0, atol=0.03)
    torch.testing.assert_close(found.weights.sum(dim=2), torch.ones(2, 3))
    assert (found.weights[1, :, 2:] == 0).all()
