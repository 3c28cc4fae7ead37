"""`run_fused`: the quick ways are the plain ones, whatever the weights and directions."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seqforge.encoders import GRU, RNN
from seqforge.encoders.fused import run_fused
from seqforge.encoders.layer import Layer
from seqforge.encoders.stack import Stack


@pytest.mark.parametrize("kind", [GRU, RNN])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_sequences_equal_the_kernel(
    kind: Any, bias: bool, bidirectional: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    encoder: Stack = kind(3, 4, bias=bias, bidirectional=bidirectional).double()
    layer = encoder.layers[0]
    assert isinstance(layer, Layer)
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
