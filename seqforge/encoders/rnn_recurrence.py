"""The recurrence of the simple network over a whole sequence, both ways, for CPUs."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqforge.precision import full_precision

aten = torch.ops.aten

Nonlinearity = Literal["tanh", "relu"]


def rnn_recurrence(
    of_inputs: Tensor, hidden: Tensor, weight: Tensor, nonlinearity: Nonlinearity
) -> tuple[Tensor, Tensor]:
    """Run `h_t = f(W_ih x_t + W_hh h_{t-1} + b)` (Elman 1990); f is tanh or relu.

    As `gru_recurrence`: few operations a step, and one product over all steps for the gradient of
    the recurrent weights. Each state is its step's output, in the precision of the products.

    Args:
        of_inputs: `W_ih x + b`, `(T, B, H)`, with both biases.
        hidden: `h_0`, `(B, H)`.
        weight: `W_hh`, `(H, H)`.
        nonlinearity: `f`.

    Returns:
        Outputs `(T, B, H)` in the inputs' dtype, and the last of them, float32 at least.
    """
    outputs: Tensor = _RNNRecurrence.apply(  # type: ignore[no-untyped-call]
        of_inputs, hidden.to(of_inputs.dtype), weight, nonlinearity == "tanh"
    )
    wide = torch.promote_types(of_inputs.dtype, torch.float32)
    return outputs, outputs[-1].to(wide, copy=True)  # a view would keep all outputs alive


class _RNNRecurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, of_inputs: Tensor, start: Tensor, weight: Tensor, tanh: bool) -> Tensor:
        outputs, before = torch.empty_like(of_inputs), start
        with full_precision(start.device):
            transposed = weight.t()
            for x, output in zip(of_inputs, outputs, strict=True):
                torch.addmm(x, before, transposed, out=output)
                before = output.tanh_() if tanh else output.relu_()
        ctx.save_for_backward(start, weight, outputs)
        ctx.tanh = tanh
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None]:
        start, weight, outputs = ctx.saved_tensors
        gradients = torch.empty_like(outputs)  # by what is squashed
        carried = torch.zeros_like(start)
        with full_precision(start.device):
            for t in range(len(outputs) - 1, -1, -1):
                carried.add_(of_outputs[t])
                if ctx.tanh:
                    aten.tanh_backward.grad_input(carried, outputs[t], grad_input=gradients[t])
                else:
                    aten.threshold_backward.grad_input(
                        carried, outputs[t], 0, grad_input=gradients[t]
                    )
                torch.mm(gradients[t], weight, out=carried)
            of_weight = None
            if ctx.needs_input_grad[2]:
                before = torch.cat([start.unsqueeze(0), outputs[:-1]])
                of_weight = gradients.flatten(0, 1).t() @ before.flatten(0, 1)
        return gradients, carried, of_weight, None
