"""The one contact between decoding and a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

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


class Drawn(NamedTuple):
    """What a model has written by itself.

    Attributes:
        tokens: Those drawn (T, N), int64.
        log_probs: Their log-probabilities under the model (T, N), float32.
        state: The state before the last of them is read.
    """

    tokens: Tensor
    log_probs: Tensor
    state: State


@runtime_checkable
class DrawingStep(Protocol):
    """A `Step` that can also take many, each on the token that the one before has drawn.

    An engine that runs outside Python saves the way back and forth.
    """

    @property
    def num_tokens(self) -> int:
        """`V`, the number of tokens."""
        ...

    def __call__(self, tokens: Tensor, state: State) -> StepOut:
        """Read one token per row (N,); see `Step`."""
        ...

    def draw(self, tokens: Tensor, state: State, noise: Tensor, temperature: float) -> Drawn:
        """Take as many steps as there is noise, and draw each step's token.

        Args:
            tokens: The last known token of each row (N,).
            state: The state before them.
            noise: `(T, N, V)` float64; of the standard Gumbel distribution for a draw, zeros for
                the most probable tokens.
            temperature: Above 0.

        Returns:
            What was drawn: at each step `argmax_v (log p_v / temperature + noise_v)`.
        """
        ...
