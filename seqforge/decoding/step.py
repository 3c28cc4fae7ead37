"""The one contact between decoding and a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from seqforge.state import State


class StepOut(NamedTuple):
    """What a model answers to one token per row.

    Attributes:
        log_probs: Log-probabilities of the next token (N, V), float32.
        state: The state after the step; every leaf has N rows, or is `Fixed`.
        trace: What shall follow the winning path (attention weights, say); None if nothing.
    """

    log_probs: Tensor
    state: State
    trace: State = None


Step = Callable[[Tensor, State], StepOut]
"""`step(tokens (N,), state) -> StepOut`: all that decoding knows of a model."""
