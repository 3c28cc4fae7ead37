"""What an attention decoder carries from step to step, and what it makes of a target."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from seqforge.state import Fixed, State


class DecoderState(NamedTuple):
    """What a decoder carries from step to step.

    Attributes:
        reader: State of the encoder that reads the target.
        writer: State of the encoder above the attention; None without one.
        features: `(B, F)`, the last step's features, for input feeding; None without it.
        memory: The source as `Fixed(Memory)`: beams share it.
        shortcut: `Fixed` of `(B, F)`, what is added to the features of every step; None: nothing.
    """

    reader: State
    writer: State
    features: Tensor | None
    memory: Fixed
    shortcut: Fixed | None = None


class Decoded(NamedTuple):
    """What a decoder makes of a target.

    Attributes:
        features: `(B, T, F)`, from which a head predicts the next token; undefined at padding.
        weights: `(B, T, S)`, the attention.
        state: The state after the last step; in rows that end before it, after their own.
    """

    features: Tensor
    weights: Tensor
    state: DecoderState
