"""The recurrence of the GRU over a whole sequence, both ways, for CPUs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqforge.precision import full_precision

aten = torch.ops.aten


def gru_recurrence(
    of_inputs: Tensor, hidden: Tensor, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Run `h_t = (1 - z_t) n_t + z_t h_{t-1}` (Cho et al. 2014), the gates after PyTorch's GRU.

    PyTorch has no fused GRU for CPUs: its graph of some twenty operations a step is walked back one
    by one, with a product for the recurrent weights' gradient at each step. Here a step is few
    operations in memory that is used again, and that gradient is one product over all steps. The
    hidden state is float32 at least from step to step, whatever the products are computed in.
    Gradients of gradients are not to be had of it.

    Args:
        of_inputs: `W_ih x + b_ih`, `(T, B, 3 H)`: reset gate, update gate, candidate.
        hidden: `h_0`, `(B, H)`.
        weight: `W_hh`, `(3 H, H)`.
        bias: `b_hh`, `(3 H,)`.

    Returns:
        Outputs `(T, B, H)` in the inputs' dtype, and `h_T` `(B, H)`, float32 at least.
    """
    wide = torch.promote_types(of_inputs.dtype, torch.float32)
    found: tuple[Tensor, Tensor] = _GRURecurrence.apply(  # type: ignore[no-untyped-call]
        of_inputs, hidden.to(wide), weight, bias
    )
    return found


class _GRURecurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, of_inputs: Tensor, start: Tensor, weight: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        steps, rows, size = of_inputs.size(0), *start.shape
        outputs = of_inputs.new_empty(steps, rows, size)
        gates, candidates = torch.empty_like(of_inputs), torch.empty_like(outputs)
        before, hidden = start.to(outputs.dtype), start
        with full_precision(start.device):
            transposed = weight.t()
            for x, gate, n, output in zip(
                of_inputs, gates.unbind(), candidates.unbind(), outputs, strict=True
            ):
                torch.addmm(bias, before, transposed, out=gate)
                r, z, of_hidden = gate.split(size, dim=1)
                gate.narrow(1, 0, 2 * size).add_(x.narrow(1, 0, 2 * size)).sigmoid_()
                torch.addcmul(x.narrow(1, 2 * size, size), r, of_hidden, out=n).tanh_()
                hidden = torch.lerp(n.to(start.dtype), hidden, z.to(start.dtype))
                before = output.copy_(hidden)
        ctx.save_for_backward(start, weight, outputs, gates, candidates)
        return outputs, hidden

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, of_outputs: Tensor, of_last: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        start, weight, outputs, gates, candidates = ctx.saved_tensors
        steps, rows, size = outputs.shape
        with full_precision(start.device):
            before = torch.cat([start.to(outputs.dtype).unsqueeze(0), outputs[:-1]])  # (T, B, H)
            # Of each step, gradients by (W_hh h + b_hh)_n, r, z and n before they are squashed:
            # what the recurrent weights get lies together, and so does what the inputs get.
            gradients = outputs.new_empty(steps, rows, 4 * size)
            ordered = torch.cat([weight[2 * size :], weight[: 2 * size]])  # candidate, r, z
            carried = of_last.clone()
            for t in range(steps - 1, -1, -1):
                carried.add_(of_outputs[t])
                _step_back(carried, gates[t], candidates[t], before[t], gradients[t])
                carried.add_(gradients[t].narrow(1, 0, 3 * size) @ ordered)
            flat = gradients.view(steps * rows, 4 * size).narrow(1, 0, 3 * size)
            of_weight = of_bias = None
            if ctx.needs_input_grad[2]:
                of_weight = _in_order(flat.t() @ before.view(steps * rows, size))
            if ctx.needs_input_grad[3]:
                of_bias = _in_order(flat.sum(0))
        return gradients.narrow(2, size, 3 * size), carried, of_weight, of_bias


def _in_order(part: Tensor) -> Tensor:
    """Put the candidate's block of `(3 H, …)`, which is first, behind the gates'."""
    size = part.size(0) // 3
    return torch.cat([part[size:], part[:size]])


def _step_back(carried: Tensor, gate: Tensor, n: Tensor, before: Tensor, gradient: Tensor) -> None:
    """Fill a step's gradients `(B, 4 H)`; leave in `carried` what goes straight to `h_{t-1}`."""
    r, z, of_hidden = gate.chunk(3, dim=1)
    of_n_hidden, of_r, of_z, of_n = gradient.chunk(4, dim=1)
    of_output = carried.to(n.dtype)
    aten.sigmoid_backward.grad_input((before - n).mul_(of_output), z, grad_input=of_z)
    squashed = torch.addcmul(of_output, of_output, z, value=-1)  # (1 - z) dh
    aten.tanh_backward.grad_input(squashed, n, grad_input=of_n)
    torch.mul(of_n, r, out=of_n_hidden)
    aten.sigmoid_backward.grad_input(of_n * of_hidden, r, grad_input=of_r)
    carried.mul_(z)
