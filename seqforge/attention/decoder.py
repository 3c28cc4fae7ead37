"""The attention decoder: a recurrent language model that looks into a source at every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from seqforge.attention.base import Attended, Attention
from seqforge.attention.memory import Memory
from seqforge.encoders import Bridge, Encoder
from seqforge.encoders.base import Stepper
from seqforge.layers import padding_mask
from seqforge.state import Fixed, State, hold, widen


class DecoderState(NamedTuple):
    """What a decoder carries from step to step.

    Attributes:
        reader: State of the encoder that reads the target.
        writer: State of the encoder above the attention; None without one.
        features: `(B, F)`, the last step's features, for input feeding; None without it.
        memory: The source as `Fixed(Memory)`: beams share it.
    """

    reader: State
    writer: State
    features: Tensor | None
    memory: Fixed


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


class AttentionDecoder(nn.Module):
    """Reads a target, attends to a source and gives features for the next token.

    The reader's outputs `h_t` are the queries; the features are `tanh(W [h_t; c_t])` (Luong et al.
    2015, equation 5). Since nothing of the attention goes back into the reader, the whole target
    side is one fused call. Two things bring it back:

    - a writer, a second encoder that reads `[h_t; c_t]` and whose outputs take the place of `h_t`
      in the features (as the upper layers in Wu et al. 2016): it remembers what was attended to,
      and is fused as well;
    - input feeding (Luong et al. 2015, section 3.3): the reader also reads the features of the step
      before. Then the target is read step by step.

    Args:
        reader: Causal; reads embeddings, and behind them features if `input_feeding`.
        attention: Compares the reader's outputs with the source.
        feature_size: `F`.
        writer: Causal; reads the reader's outputs and the context. None: there is none.
        input_feeding: Whether features are fed back.
        dropout: Probability that a feature is dropped in training.
        context_size: Size of the vector that starts the reader and the writer; None: that of the
            source's values.
    """

    def __init__(
        self,
        reader: Encoder,
        attention: Attention,
        feature_size: int,
        *,
        writer: Encoder | None = None,
        input_feeding: bool = False,
        dropout: float = 0.0,
        context_size: int | None = None,
    ) -> None:
        super().__init__()
        size = attention.value_size if context_size is None else context_size
        self.reader = reader
        self.writer = writer
        self.attention = attention
        self.input_feeding = input_feeding
        self.feature_size = feature_size
        self.reader_bridge = Bridge(reader, size)
        self.writer_bridge = None if writer is None else Bridge(writer, size)
        output_size = (reader if writer is None else writer).output_size
        self.combine = nn.Linear(output_size + attention.value_size, feature_size)
        self.dropout = nn.Dropout(dropout)

    def start(self, memory: Memory, context: Tensor) -> DecoderState:
        """Begin a target.

        Args:
            memory: The source, from `attention.remember`.
            context: `(B, C)`, a summary of the source.
        """
        rows = context.size(0)
        return DecoderState(
            self.reader_bridge(context),
            None if self.writer_bridge is None else self.writer_bridge(context),
            widen(context.new_zeros(rows, self.feature_size)) if self.input_feeding else None,
            Fixed(memory),
        )

    def forward(
        self, embedded: Tensor, state: DecoderState, lengths: Tensor | None = None
    ) -> Decoded:
        """Read a known target.

        Args:
            embedded: `(B, T, E)`.
            state: From `start`, or from the steps before.
            lengths: `(B,)` int64; None: all steps are valid.
        """
        if self.input_feeding:
            return self.unroll(embedded, state, lambda _, t: embedded[:, t], lengths)
        outputs, reader = self.reader(embedded, state.reader, lengths)  # (B, T, Q)
        attended = self.attention(outputs, state.memory.value)
        writer = state.writer
        if self.writer is not None:
            joined = _join(outputs, attended.context)
            outputs, writer = self.writer(joined, writer, lengths)
        features = self.dropout(self._features(outputs, attended.context))
        return Decoded(features, attended.weights, state._replace(reader=reader, writer=writer))

    def unroll(
        self,
        embedded: Tensor,
        state: DecoderState,
        choose: Callable[[Tensor, int], Tensor],
        lengths: Tensor | None = None,
    ) -> Decoded:
        """Read a target step by step, where what is read may depend on what was predicted.

        Args:
            embedded: `(B, T, E)`, the known target: its first step is read as it is.
            state: From `start`, or from the steps before.
            choose: `(features (B, F) of the step before, t) -> (B, E)`: what is read at step `t`.
            lengths: `(B,)` int64; None: all steps are valid.
        """
        padding = None if lengths is None else padding_mask(lengths, embedded.size(1))
        features: list[Tensor] = []
        weights: list[Tensor] = []
        for t in range(embedded.size(1)):
            x = embedded[:, t] if t == 0 else choose(features[-1], t)
            step, attended, after = self.step(x, state)
            state = after if padding is None else hold(after, padding[:, t], state)
            features.append(step)
            weights.append(attended)
        return Decoded(torch.stack(features, dim=1), torch.stack(weights, dim=1), state)

    def step(self, x: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one embedded token, with gradients.

        Args:
            x: `(N, E)`; `N` may be a multiple of the memory's rows, beams of an item side by side.
            state: The state before.

        Returns:
            Features `(N, F)`, attention weights `(N, S)` and the new state.
        """
        writer = None if self.writer is None else self.writer.step
        return self._advance(x, state, self.reader.step, writer, self.dropout)

    def stepper(self) -> Callable[[Tensor, DecoderState], tuple[Tensor, Tensor, DecoderState]]:
        """Give `step` with the encoders' weights as they are now, packed.

        Without gradients and, whatever the mode, without dropout; see `Encoder.stepper`.
        """
        reader = self.reader.stepper()
        writer = None if self.writer is None else self.writer.stepper()

        def advance(x: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
            with torch.no_grad():
                return self._advance(x, state, reader, writer, _unchanged)

        return advance

    def _advance(
        self,
        x: Tensor,
        state: DecoderState,
        reader: Stepper,
        writer: Stepper | None,
        dropout: Callable[[Tensor], Tensor],
    ) -> tuple[Tensor, Tensor, DecoderState]:
        if state.features is not None:
            x = _join(x, state.features)
        output, read = reader(x, state.reader)  # (N, Q)
        attended = self._attend(output, state.memory.value)
        written = state.writer
        if writer is not None:
            output, written = writer(_join(output, attended.context), written)
        features = dropout(self._features(output, attended.context))
        fed = None if state.features is None else widen(features)
        return features, attended.weights, DecoderState(read, written, fed, state.memory)

    def _attend(self, queries: Tensor, memory: Memory) -> Attended:
        """Attend with N queries to B items, N a multiple of B: beams are the items' queries."""
        items = memory.values.size(0)
        grouped = queries.reshape(items, -1, queries.size(1))  # (B, N / B, Q)
        attended = self.attention(grouped, memory)
        return Attended(attended.context.flatten(0, 1), attended.weights.flatten(0, 1))

    def _features(self, outputs: Tensor, context: Tensor) -> Tensor:
        return torch.tanh(self.combine(_join(outputs, context)))


def _unchanged(features: Tensor) -> Tensor:
    return features


def _join(first: Tensor, second: Tensor) -> Tensor:
    """Put features side by side in one precision: autocast gives bfloat16 beside float32."""
    return torch.cat([first, second.to(first.dtype)], dim=-1)
