"""`run_fused`: the quick ways are the plain ones, whatever the weights and directions."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from seqforge.encoders import GRU, LSTM, RNN, padded
from seqforge.encoders.fused import run_fused
from seqforge.encoders.layer import Layer
from seqforge.encoders.stack import Stack

RELU = partial(RNN, nonlinearity="relu")


def _layer(encoder: Stack) -> Layer:
    layer = encoder.layers[0]
    assert isinstance(layer, Layer)
    return layer


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note each use of a sequence of our own."""
    used: list[str] = []
    for kind in (GRU, RNN):
        cell = type(_layer(kind(1, 1)).cell)
        run = cell.sequence

        def noted(self: Any, *given: Any, run: Any = run, name: str = kind.__name__) -> Any:
            used.append(name)
            return run(self, *given)

        monkeypatch.setattr(cell, "sequence", noted)
    return used


@pytest.mark.parametrize("kind", [GRU, RNN, RELU])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_sequences_equal_the_kernel(
    kind: Any,
    bias: bool,
    bidirectional: bool,
    counted: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    layer = _layer(kind(3, 4, bias=bias, bidirectional=bidirectional).double())
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    start = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    states = [layer.cell.state_type(start)] * layer.directions
    found = []
    for changed in (False, True):
        if changed:
            monkeypatch.setattr(type(layer.cell), "sequence", None)
        outputs, last = run_fused(layer.cell, x, states, layer.weights(None))
        total = sum((state[0] ** 3).sum() for state in last) + (outputs**2).sum()
        assert isinstance(total, torch.Tensor)
        gradients = torch.autograd.grad(total, [x, start, *layer.parameters()])
        found.append((outputs, *(state[0] for state in last), *gradients))
    torch.testing.assert_close(*found)
    assert len(counted) == layer.directions  # the first time alone


@pytest.mark.parametrize("kind", [GRU, RNN])
def test_the_kernel_runs_where_nothing_is_learnt(kind: Any, counted: list[str]) -> None:
    encoder, x = kind(3, 4), torch.randn(2, 5, 3)
    with torch.no_grad():
        encoder(x)
    encoder.requires_grad_(False)
    encoder(x)
    assert not counted
    encoder(x.requires_grad_())
    assert counted == [kind.__name__]


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_weights_of_bfloat16_are_trained(kind: Any, rows: int) -> None:
    encoder = kind(3, 4).bfloat16()
    outputs, state = encoder(torch.randn(rows, 5, 3).bfloat16())
    outputs.float().sum().backward()
    assert state.layers[0][0].dtype == torch.float32
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_padding_rounds_no_state() -> None:
    torch.manual_seed(0)
    encoder, x = GRU(3, 8), torch.randn(2, 6, 3)
    with torch.autocast("cpu", torch.bfloat16):
        _, padded_state = encoder(x, None, torch.tensor([4, 4]))
        _, state = encoder(x[:, :4], None, torch.tensor([4, 4]))
        _, plain = encoder(x[:, :4])
    assert padded_state.layers[0].hidden.equal(state.layers[0].hidden)
    assert padded_state.layers[0].hidden.equal(plain.layers[0].hidden)


@pytest.mark.parametrize(("bfloat16", "width"), [(True, padded.TILE), (False, 4)])
def test_padded_inputs_are_whole_tiles_in_bfloat16_alone(
    bfloat16: bool, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = []

    def noted(cell: Any, x: torch.Tensor, *given: Any) -> Any:
        widths.append(x.size(2))
        return run_fused(cell, x, *given)

    monkeypatch.setattr(padded, "run_fused", noted)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        LSTM(3, 4)(torch.randn(2, 5, 3), None, torch.tensor([5, 2]))
    assert widths == [width]
