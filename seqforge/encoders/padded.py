"""One layer over a right-padded batch, in the ways that keep the fused calls.

All give the same, to rounding: the state after each row's last valid step (its start, in rows of
length 0), the backward direction begun there, and no influence of padding on values or gradients.
What the outputs hold at padding is finite but undefined; the stack zeroes it. Inputs at padding
must be finite. A backward direction must start from zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from seqforge.encoders.cell import Cell, LayerState, Weights
from seqforge.encoders.fused import run_fused
from seqforge.layers.masking import last_valid, padding_mask, reverse_within

TILE = 32
"""Numbers of bfloat16 in a row of an AMX tile. With an odd number of inputs oneDNN leaves AMX, and
an LSTM's forward pass takes two to three times as long; whole rows are never slower than others."""

Run = Callable[
    [Cell, Tensor, Sequence[LayerState], Sequence[Weights], Tensor],
    tuple[Tensor, tuple[LayerState, ...]],
]
"""`(cell, x (B, T, I), states, weights, lengths (B,)) -> (outputs (B, T, D * H), states)`."""


def run_held(
    cell: Cell,
    x: Tensor,
    states: Sequence[LayerState],
    weights: Sequence[Weights],
    lengths: Tensor,
) -> tuple[Tensor, tuple[LayerState, ...]]:
    """Close the gates at padding, so that the state passes through it unchanged.

    One more input feature is 1 at padding and has fixed weights, large enough that the sigmoids
    are exactly 0 or 1: the cell keeps its state, with gradient exactly zero. In float32 it costs 2
    to 9 % over an unpadded call on a CPU, where training on packed input costs up to 2.6 times.

    Args:
        cell: The kind of layer; its gates must be able to hold the state.
        x: `(B, T, I)`.
        states: The start of each direction.
        weights: The weights of each direction.
        lengths: `(B,)` int64.

    Returns:
        The outputs `(B, T, D * H)` and the last state of each direction.
    """
    padding = padding_mask(lengths, x.size(1)).unsqueeze(2).to(x.dtype)
    width = TILE - x.size(2) % TILE if _in_tiles(x) else 1  # zeros up to whole tiles
    x = torch.cat([x, F.pad(padding, (0, width - 1))], dim=2)  # (B, T, I + width)
    gated = [w._replace(weight_ih=_with_hold_column(cell, w, width)) for w in weights]
    outputs, last = run_fused(cell, x, states, gated)
    if cell.sequence is not None and outputs.dtype != last[0][0].dtype:
        return outputs, last  # the recurrence's state is exact, its outputs are rounded
    # At padding the output gate is open to anything, so the hidden state is read where it was
    # valid. Backward, padding comes first, where a state of zeros stays zero.
    hidden_size = weights[0].weight_hh.size(1)
    hidden = last_valid(outputs[..., :hidden_size], lengths, states[0][0])
    return outputs, (cell.state_type(hidden, *last[0][1:]), *last[1:])


def run_gathered(
    cell: Cell,
    x: Tensor,
    states: Sequence[LayerState],
    weights: Sequence[Weights],
    lengths: Tensor,
) -> tuple[Tensor, tuple[LayerState, ...]]:
    """Run on through padding and gather each row's last valid output, which is its state.

    The backward direction runs forward over rows reversed within their lengths. For cells whose
    only state is their output, and is bounded: at padding it must not grow beyond all numbers.

    Args:
        cell: The kind of layer.
        x: `(B, T, I)`.
        states: The start of each direction.
        weights: The weights of each direction.
        lengths: `(B,)` int64.

    Returns:
        The outputs `(B, T, D * H)` and the last state of each direction.
    """
    outputs, last = [], []
    for direction, (state, weight) in enumerate(zip(states, weights, strict=True)):
        ahead = x if direction == 0 else reverse_within(x, lengths)
        output, _ = run_fused(cell, ahead, [state], [weight])
        last.append(cell.state_type(last_valid(output, lengths, state[0])))
        outputs.append(output if direction == 0 else reverse_within(output, lengths))
    return torch.cat(outputs, dim=2), tuple(last)


def run_packed(
    cell: Cell,
    x: Tensor,
    states: Sequence[LayerState],
    weights: Sequence[Weights],
    lengths: Tensor,
) -> tuple[Tensor, tuple[LayerState, ...]]:
    """Pack the valid steps, which keeps cuDNN's own path for rows of different lengths.

    Args:
        cell: The kind of layer.
        x: `(B, T, I)`.
        states: The start of each direction.
        weights: The weights of each direction.
        lengths: `(B,)` int64.

    Returns:
        The outputs `(B, T, D * H)` and the last state of each direction.
    """
    # packing takes no empty rows: they run one step, whose state is then put back
    packed = pack_padded_sequence(
        x, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False
    )
    order, back = packed.sorted_indices, packed.unsorted_indices
    assert order is not None
    assert back is not None
    begun = [cell.state_type(*(leaf[order] for leaf in state)) for state in states]
    data, ended = run_fused(cell, packed.data, begun, weights, packed.batch_sizes)
    outputs, _ = pad_packed_sequence(
        PackedSequence(data, packed.batch_sizes, order, back),
        batch_first=True,
        total_length=x.size(1),
    )
    empty = (lengths == 0).unsqueeze(1)
    last = tuple(
        cell.state_type(
            *(torch.where(empty, a, b[back]) for a, b in zip(before, after, strict=True))
        )
        for before, after in zip(states, ended, strict=True)
    )
    return outputs, last


WAYS: dict[str, Run] = {"hold": run_held, "gather": run_gathered, "pack": run_packed}


def way_for(cell: Cell, x: Tensor) -> Run:
    """Choose: packed where cuDNN runs it, else what the cell says."""
    return run_packed if x.is_cuda else WAYS[cell.padding]


def _in_tiles(x: Tensor) -> bool:
    """Return whether products of an input are made in bfloat16 on a CPU."""
    rounded = torch.is_autocast_enabled("cpu")
    dtype = torch.get_autocast_dtype("cpu") if rounded else x.dtype
    return x.device.type == "cpu" and dtype == torch.bfloat16


def _with_hold_column(cell: Cell, weights: Weights, width: int) -> Tensor:
    """Append to `(G * H, I)` the column that the padding feature meets, and zeros: `width` all."""
    hidden_size = weights.weight_hh.size(1)
    column = weights.weight_ih.new_tensor(cell.hold).repeat_interleave(hidden_size)
    return torch.cat([weights.weight_ih, F.pad(column.unsqueeze(1), (0, width - 1))], dim=1)
