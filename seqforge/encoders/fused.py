"""One layer over a whole sequence, in the quickest way that the device has."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqforge.encoders.cell import Cell, LayerState, SequenceRun, Weights


def run_fused(
    cell: Cell,
    x: Tensor,
    states: Sequence[LayerState],
    weights: Sequence[Weights],
    batch_sizes: Tensor | None = None,
) -> tuple[Tensor, tuple[LayerState, ...]]:
    """Run one layer over a whole sequence, by PyTorch's fused call or by what beats it.

    Args:
        cell: The kind of layer.
        x: `(B, T, I)`; with `batch_sizes`, packed `(N, I)`.
        states: The start of each direction.
        weights: The weights of each direction.
        batch_sizes: Those of a packed sequence.

    Returns:
        The outputs `(B, T, D * H)`, or packed `(N, D * H)`, and the last state of each direction.
    """
    trains = torch.is_grad_enabled()
    learns = trains and _needs_gradients(x, states, weights)  # else the kernel is no slower
    if cell.sequence is not None and learns and batch_sizes is None and x.device.type == "cpu":
        return _run_sequence(cell.sequence, x, states, weights)
    dtype = weights[0].weight_hh.dtype  # the state is float32 even if the weights are bfloat16
    # D states of (B, H) leaves -> leaves (D, B, H), as the kernels take them
    leaves = [torch.stack(leaf).to(dtype) for leaf in zip(*states, strict=True)]
    start = leaves if len(leaves) > 1 else leaves[0]
    parameters = [tensor for direction in weights for tensor in direction if tensor is not None]
    biased = weights[0].bias_ih is not None
    # cuDNN gives gradients only if told that it trains; the mode of the module is not the point
    settings = (parameters, biased, 1, 0.0, trains, len(weights) > 1)
    if batch_sizes is None:
        outputs, *last = cell.kernel(x, start, *settings, True)
    else:
        outputs, *last = cell.kernel(x, batch_sizes, start, *settings)
    return outputs, tuple(
        cell.state_type(*(leaf[direction] for leaf in last)) for direction in range(len(weights))
    )


def _needs_gradients(x: Tensor, states: Sequence[LayerState], weights: Sequence[Weights]) -> bool:
    given = [x, *(part for group in (*states, *weights) for part in group if part is not None)]
    return any(each.requires_grad for each in given)


def _run_sequence(
    run: SequenceRun, x: Tensor, states: Sequence[LayerState], weights: Sequence[Weights]
) -> tuple[Tensor, tuple[LayerState, ...]]:
    ahead = x.transpose(0, 1).contiguous()  # (T, B, I)
    outputs, last = run(ahead, states[0], weights[0])
    if len(weights) == 1:
        return outputs.transpose(0, 1), (last,)
    backward, end = run(ahead.flip(0), states[1], weights[1])
    return torch.cat([outputs, backward.flip(0)], dim=2).transpose(0, 1), (last, end)
