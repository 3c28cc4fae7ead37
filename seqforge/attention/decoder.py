"""The attention decoder: a recurrent language model that looks into a source at every step."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqforge.attention.base import Attention
from seqforge.attention.decoder_state import Decoded, DecoderState
from seqforge.attention.memory import Memory
from seqforge.attention.stepper import DecoderStepper, gated, joined, shifted
from seqforge.encoders import Bridge, Encoder
from seqforge.layers import Dropout, padding_mask
from seqforge.state import Fixed, hold, widen


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
        gate: Whether the context is scaled by `beta_t = sigmoid(f(h_t))`, a number for each step
            (Xu et al. 2015, section 4.2.1), so that a word may be written without looking.
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
        gate: bool = False,
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
        self.gate = nn.Linear(reader.output_size, 1) if gate else None
        output_size = (reader if writer is None else writer).output_size
        self.combine = nn.Linear(output_size + attention.value_size, feature_size)
        self.dropout = Dropout(dropout)

    def start(
        self, memory: Memory, context: Tensor, shortcut: Tensor | None = None
    ) -> DecoderState:
        """Begin a target.

        Args:
            memory: The source, from `attention.remember`.
            context: `(B, C)`, a summary of the source.
            shortcut: `(B, F)`, what is added to the features of every step: the way from the
                source to the words that needs no recurrence. None: nothing.
        """
        rows = context.size(0)
        return DecoderState(
            self.reader_bridge(context),
            None if self.writer_bridge is None else self.writer_bridge(context),
            widen(context.new_zeros(rows, self.feature_size)) if self.input_feeding else None,
            Fixed(memory),
            None if shortcut is None else Fixed(shortcut),
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
        context = gated(attended.context, outputs, self.gate)
        writer = state.writer
        if self.writer is not None:
            outputs, writer = self.writer(joined(outputs, context), writer, lengths)
        features = shifted(self.dropout(self._features(outputs, context)), state.shortcut)
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
        if state.features is not None:
            x = joined(x, state.features)
        output, reader = self.reader.step(x, state.reader)  # (N, Q)
        attended = self.attention.attend_rows(output, state.memory.value)
        context = gated(attended.context, output, self.gate)
        writer = state.writer
        if self.writer is not None:
            output, writer = self.writer.step(joined(output, context), writer)
        features = shifted(self.dropout(self._features(output, context)), state.shortcut)
        fed = None if state.features is None else widen(features)
        after = state._replace(reader=reader, writer=writer, features=fed)
        return features, attended.weights, after

    @torch.no_grad()
    def stepper(self, dtype: torch.dtype | None = None) -> DecoderStepper:
        """Give `step` with the weights as they are now, packed.

        Without gradients and, whatever the mode, without dropout; see `Encoder.stepper`.

        Args:
            dtype: What the weights are rounded to, such as `torch.bfloat16`; the state keeps its
                precision. None: they stay as they are.
        """
        made = self if dtype is None else copy.deepcopy(self).to(dtype)
        return DecoderStepper(
            made.reader.stepper(),
            None if made.writer is None else made.writer.stepper(),
            copy.deepcopy(self.attention).eval(),
            made.combine,
            copy.deepcopy(made.gate),
        )

    def _features(self, outputs: Tensor, context: Tensor) -> Tensor:
        return torch.tanh(self.combine(joined(outputs, context)))
