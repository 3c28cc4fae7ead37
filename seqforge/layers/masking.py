"""Right-padded batches: masks, reversal within the length, and the last valid step."""

from __future__ import annotations

import torch
from torch import Tensor


def padding_mask(lengths: Tensor, time: int) -> Tensor:
    """Mark padding.

    Args:
        lengths: `(B,)` int64, the number of valid steps of each row.
        time: `T`, the number of columns.

    Returns:
        `(B, T)` bool, True at padding, on the device of `lengths`.
    """
    return torch.arange(time, device=lengths.device) >= lengths.unsqueeze(1)


def reverse_within(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each row within its length; padding stays where it is.

    Args:
        x: `(B, T, …)`.
        lengths: `(B,)` int64.

    Returns:
        `(B, T, …)`; applied twice it gives `x` again.
    """
    steps = torch.arange(x.size(1), device=x.device)
    ends = lengths.to(x.device).unsqueeze(1)
    index = torch.where(steps < ends, ends - 1 - steps, steps)  # (B, T)
    return _gather_steps(x, index)


def last_valid(outputs: Tensor, lengths: Tensor, initial: Tensor | None = None) -> Tensor:
    """Take each row's value at its last valid step.

    Args:
        outputs: `(B, T, …)`.
        lengths: `(B,)` int64.
        initial: `(B, …)`, the value of rows of length 0; zeros by default.

    Returns:
        `(B, …)`.
    """
    lengths = lengths.to(outputs.device)
    index = (lengths - 1).clamp(min=0).unsqueeze(1)  # (B, 1)
    last = _gather_steps(outputs, index).squeeze(1)
    empty = (lengths == 0).reshape(-1, *[1] * (last.dim() - 1))
    return torch.where(empty, torch.zeros_like(last) if initial is None else initial, last)


def final_output(outputs: Tensor, lengths: Tensor | None, causal: bool) -> Tensor:
    """Take the output that has seen the whole sequence.

    Args:
        outputs: `(B, T, O)`, an encoder's outputs; if not causal, the forward direction is their
            first half and the backward direction their second.
        lengths: `(B,)` int64, or None where all steps are valid.
        causal: Whether the encoder runs forward only.

    Returns:
        `(B, O)`: the output at the last valid step; if not causal, the backward half is that of
        step 0, where the backward direction ends. Zeros in rows of length 0.
    """
    if lengths is None:
        lengths = torch.full((outputs.size(0),), outputs.size(1), device=outputs.device)
    last = last_valid(outputs, lengths)
    if causal:
        return last
    half = outputs.size(2) // 2
    first = last_valid(outputs[:, :1, half:], lengths.clamp(max=1))
    return torch.cat([last[:, :half], first], dim=1)


def _gather_steps(x: Tensor, index: Tensor) -> Tensor:
    """Gather along time: `(B, T, …)` by `(B, N)` gives `(B, N, …)`."""
    rows = torch.arange(x.size(0), device=x.device).unsqueeze(1)
    return x[rows, index]
