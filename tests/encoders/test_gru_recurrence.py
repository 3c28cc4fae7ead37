"""`gru_recurrence`: PyTorch's GRU, values and gradients, and no less exact in bfloat16."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.encoders.gru_recurrence import gru_recurrence


def _material(steps: int, rows: int, size: int) -> tuple[nn.GRU, Tensor, Tensor]:
    torch.manual_seed(0)
    net = nn.GRU(5, size).double()
    x = torch.randn(steps, rows, 5, dtype=torch.float64, requires_grad=True)
    start = torch.randn(rows, size, dtype=torch.float64, requires_grad=True)
    return net, x, start


def _own(net: nn.GRU, x: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    weight_ih, weight_hh, bias_ih, bias_hh = net.parameters()
    of_inputs = F.linear(x, weight_ih, bias_ih)
    return gru_recurrence(
        of_inputs, start, weight_hh.to(of_inputs.dtype), bias_hh.to(of_inputs.dtype)
    )


def test_values_and_gradients_are_pytorchs() -> None:
    net, x, start = _material(6, 3, 4)
    theirs, their_last = net(x, start.unsqueeze(0))
    ours, last = _own(net, x, start)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(last, their_last[0])
    wanted = [x, start, *net.parameters()]
    expected = torch.autograd.grad((theirs**2).sum() + (their_last**3).sum(), wanted)
    found = torch.autograd.grad((ours**2).sum() + (last**3).sum(), wanted)
    torch.testing.assert_close(found, expected)


def test_gradients_are_those_of_small_differences() -> None:
    net, x, start = _material(3, 2, 3)
    assert torch.autograd.gradcheck(lambda a, b: _own(net, a, b), (x, start))


def test_the_state_alone_may_be_used() -> None:
    net, x, start = _material(4, 2, 3)
    _, last = _own(net, x, start)
    expected = torch.autograd.grad(net(x, start.unsqueeze(0))[1].sum(), [x, start])
    torch.testing.assert_close(torch.autograd.grad(last.sum(), [x, start]), expected)


def test_in_bfloat16_it_is_about_as_exact_as_pytorchs() -> None:
    net, x, start = _material(200, 4, 16)
    with torch.no_grad():  # gates that remember: rounding the state at each step would add up
        list(net.parameters())[2][16:32] = 4.0
    true = _results(net, x, start, own=False)
    net = net.float()
    x, start = (part.detach().float().requires_grad_() for part in (x, start))
    with torch.autocast("cpu", torch.bfloat16):
        outputs, last = _own(net, x, start)
    assert outputs.dtype == torch.bfloat16
    assert last.dtype == torch.float32
    errors = []
    for own in (True, False):
        with torch.autocast("cpu", torch.bfloat16):
            found = _results(net, x, start, own=own)
        pairs = zip(found, true, strict=True)
        errors.append([float((a - b).norm() / b.norm()) for a, b in pairs])
    assert all(ours < 1.5 * theirs for ours, theirs in zip(*errors, strict=True))


def _results(net: nn.GRU, x: Tensor, start: Tensor, own: bool) -> list[Tensor]:
    """Return the last state, and gradients of a sum by everything."""
    outputs, last = _own(net, x, start) if own else net(x, start.unsqueeze(0))
    last = last.view_as(start)
    total = (outputs.to(last.dtype) ** 2).sum() + last.sum()
    return [last.detach(), *torch.autograd.grad(total, [x, start, *net.parameters()])]


def test_what_is_frozen_gets_no_gradient() -> None:
    net, x, start = _material(3, 2, 4)
    net.requires_grad_(False)
    _own(net, x, start)[0].sum().backward()
    assert x.grad is not None
    assert all(parameter.grad is None for parameter in net.parameters())
