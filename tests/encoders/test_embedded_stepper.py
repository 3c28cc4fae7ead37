"""Steppers over the rows of a matrix are steppers over the vectors."""

from collections.abc import Callable

import pytest
import torch

from seqforge.encoders import GRU, LSTM, RNN, Encoder, EncoderError
from seqforge.encoders import stack as stacks
from seqforge.state import leaves

KINDS = pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
OPTIONS = pytest.mark.parametrize(
    "options",
    [{}, {"bias": False}, {"layer_norm": True, "residual": True}],
    ids=["plain", "no bias", "norm, residual"],
)


def encoder_of(kind: Callable[..., Encoder], **options: bool) -> Encoder:
    torch.manual_seed(0)
    made = kind(6, 6, num_layers=2, dropout=0.3, **options).double()
    for parameter in made.parameters():
        parameter.data.add_(0.1)
    return made


@KINDS
@OPTIONS
@pytest.mark.parametrize("rows", [1, 2, 9])
@torch.no_grad()
def test_numbers_are_read_as_their_vectors(
    kind: Callable[..., Encoder], options: dict[str, bool], rows: int
) -> None:
    encoder = encoder_of(kind, **options)
    embedding = torch.randn(5, 6, dtype=torch.float64)
    step, expected_state = encoder.embedded_stepper(embedding), encoder.start(rows)
    encoder.eval()
    state = expected_state
    for number in range(4):
        numbers = torch.arange(rows).add(number).remainder(5)
        expected, expected_state = encoder.step(embedding[numbers], expected_state)

        output, state = step(numbers, state)

        torch.testing.assert_close(output, expected, rtol=0.0, atol=1e-12)
        for leaf, wanted in zip(leaves(state), leaves(expected_state), strict=True):
            torch.testing.assert_close(leaf, wanted, rtol=0.0, atol=1e-12)


@KINDS
@torch.no_grad()
def test_many_vectors_are_not_multiplied_beforehand(
    kind: Callable[..., Encoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, numbers = encoder_of(kind), torch.tensor([4, 0])
    embedding = torch.randn(5, 6, dtype=torch.float64)
    expected, _ = encoder.embedded_stepper(embedding)(numbers, encoder.start(2))
    monkeypatch.setattr(stacks, "TABLE_ROWS", 4)

    step = encoder.embedded_stepper(embedding)

    torch.testing.assert_close(step(numbers, encoder.start(2))[0], expected)


@KINDS
@pytest.mark.parametrize("largest", [4, 5])
@torch.no_grad()
def test_later_changes_do_not_reach_it(
    kind: Callable[..., Encoder], largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks, "TABLE_ROWS", largest)
    encoder, numbers = encoder_of(kind, residual=True), torch.tensor([4, 0])
    embedding = torch.nn.Parameter(torch.randn(5, 6, dtype=torch.float64))
    step = encoder.embedded_stepper(embedding)
    before, _ = step(numbers, encoder.start(2))

    embedding.data.zero_()
    for parameter in encoder.parameters():
        parameter.data.zero_()

    after, _ = step(numbers, encoder.start(2))
    assert torch.equal(before, after)
    assert not after.requires_grad


def test_both_ways_at_once_cannot_step() -> None:
    with pytest.raises(EncoderError, match="cannot read step by step"):
        LSTM(6, 6, bidirectional=True).embedded_stepper(torch.zeros(5, 6))
