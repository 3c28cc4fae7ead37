"""`rnn_recurrence`: PyTorch's simple network, values and gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.encoders.rnn_recurrence import Nonlinearity, rnn_recurrence

BOTH = pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])


def _material(nonlinearity: Nonlinearity) -> tuple[nn.RNN, Tensor, Tensor]:
    torch.manual_seed(0)
    net = nn.RNN(5, 4, nonlinearity=nonlinearity).double()
    x = torch.randn(6, 3, 5, dtype=torch.float64, requires_grad=True)
    start = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    return net, x, start


def _own(
    net: nn.RNN, x: Tensor, start: Tensor, nonlinearity: Nonlinearity
) -> tuple[Tensor, Tensor]:
    weight_ih, weight_hh, bias_ih, bias_hh = net.parameters()
    of_inputs = F.linear(x, weight_ih, bias_ih + bias_hh)
    return rnn_recurrence(of_inputs, start, weight_hh.to(of_inputs.dtype), nonlinearity)


@BOTH
def test_values_and_gradients_are_pytorchs(nonlinearity: Nonlinearity) -> None:
    net, x, start = _material(nonlinearity)
    theirs, their_last = net(x, start.unsqueeze(0))
    ours, last = _own(net, x, start, nonlinearity)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(last, their_last[0])
    wanted = [x, start, *net.parameters()]
    expected = torch.autograd.grad((theirs**2).sum() + (their_last**3).sum(), wanted)
    found = torch.autograd.grad((ours**2).sum() + (last**3).sum(), wanted)
    torch.testing.assert_close(found, expected)


@BOTH
def test_gradients_are_those_of_small_differences(nonlinearity: Nonlinearity) -> None:
    net, x, start = _material(nonlinearity)
    assert torch.autograd.gradcheck(lambda a, b: _own(net, a, b, nonlinearity), (x, start))


@BOTH
def test_in_bfloat16_values_and_gradients_are_about_as_exact_as_pytorchs(
    nonlinearity: Nonlinearity,
) -> None:
    net, x, start = _material(nonlinearity)
    wanted = [x, start, *net.parameters()]
    true = torch.autograd.grad((net(x, start.unsqueeze(0))[0] ** 2).sum(), wanted)
    net = net.float()
    x, start = (part.detach().float().requires_grad_() for part in (x, start))
    errors = []
    for own in (True, False):
        with torch.autocast("cpu", torch.bfloat16):
            made = _own(net, x, start, nonlinearity) if own else net(x, start.unsqueeze(0))
        gradients = torch.autograd.grad((made[0].float() ** 2).sum(), [x, start, *net.parameters()])
        pairs = zip(gradients, true, strict=True)
        errors.append(sum(float((a - b).norm() / b.norm()) for a, b in pairs))
        if own:
            assert made[0].dtype == torch.bfloat16
            assert made[1].dtype == torch.float32
            assert made[1].equal(made[0][-1].float())
    assert errors[0] < 1.5 * errors[1]


def test_the_state_holds_no_other_outputs() -> None:
    _, last = _own(*_material("tanh"), "tanh")
    assert last.untyped_storage().nbytes() == last.nbytes
