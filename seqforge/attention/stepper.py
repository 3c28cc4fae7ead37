"""Steps of an attention decoder with packed weights, for generation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.attention.base import Attention
from seqforge.attention.decoder_state import DecoderState
from seqforge.attention.memory import Memory
from seqforge.encoders.base import Stepper
from seqforge.state import Fixed, widen


class DecoderStepper:
    """What `AttentionDecoder.stepper` gives: steps without gradients, in one precision.

    The features are `tanh(W_h h_t + W_c c_t + b)` (Luong et al. 2015, equation 5, with `W` in two
    parts), and the context `c_t` is a weighted mean of the source's values. Without a writer
    nothing else reads it; then `W_c sum(a_s v_s) = sum(a_s W_c v_s)` lets `begin` map the source
    once, instead of a context for each row at each step.

    Args:
        reader: Steps of the encoder that reads the target.
        writer: Steps of the encoder above the attention; None without one.
        attention: Compares the reader's outputs with the source.
        combine: `W` and `b`, of `[h_t; c_t]`.
        gate: Scales the context by what the reader gives; None: nothing does.
    """

    def __init__(
        self,
        reader: Stepper,
        writer: Stepper | None,
        attention: Attention,
        combine: nn.Linear,
        gate: nn.Linear | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._attention = attention
        self._gate = gate
        self._bias = combine.bias.detach().clone()
        parts = combine.weight.detach().split_with_sizes(
            [combine.in_features - attention.value_size, attention.value_size], dim=1
        )
        self._of_output, self._of_context = (part.contiguous() for part in parts)

    def begin(self, state: DecoderState) -> DecoderState:
        """Make the state before the first step one that these steps can go on from.

        Args:
            state: From `AttentionDecoder.start`.

        Returns:
            The same with its memory in the precision of the weights, and mapped.
        """
        memory: Memory = state.memory.value
        memory = memory._replace(values=widen(memory.values), keys=widen(memory.keys))
        if self._writer is None:
            mapped = F.linear(memory.values.to(self._bias.dtype), self._of_context)
            memory = memory._replace(values=widen(mapped))  # (B, S, F)
        return state._replace(memory=Fixed(memory))

    @torch.no_grad()
    def __call__(self, x: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one embedded token.

        Args:
            x: `(N, E)`; `N` may be a multiple of the memory's rows, beams of an item side by side.
            state: From `begin`, or from the step before.

        Returns:
            Features `(N, F)` in the precision of the weights, attention weights `(N, S)`, float32
            at least, and the new state.
        """
        x = x.to(self._bias.dtype)
        if state.features is not None:
            x = joined(x, state.features)
        output, reader = self._reader(x, state.reader)  # (N, Q)
        context, weights = self._attention.attend_rows(widen(output), state.memory.value)
        context = gated(context, output, self._gate)  # one number: it may scale what is mapped
        writer = state.writer
        if self._writer is not None:
            output, writer = self._writer(joined(output, context), writer)
            context = F.linear(context.to(output.dtype), self._of_context)
        features = F.linear(output, self._of_output, self._bias).add_(context).tanh_()  # (N, F)
        features = shifted(features, state.shortcut)
        fed = None if state.features is None else widen(features)
        return features, weights, state._replace(reader=reader, writer=writer, features=fed)


def gated(context: Tensor, outputs: Tensor, gate: nn.Linear | None) -> Tensor:
    """Scale contexts `(…, C)` by `sigmoid(f(h))` of outputs `(…, Q)`; without a gate by 1."""
    return context if gate is None else context * torch.sigmoid(gate(outputs)).to(context.dtype)


def shifted(features: Tensor, shortcut: Fixed | None) -> Tensor:
    """Add to features `(N, …, F)` what belongs to their items, `(B, F)`; N a multiple of B."""
    if shortcut is None:
        return features
    added: Tensor = shortcut.value.to(features.dtype)
    rows = features.unflatten(0, (added.size(0), -1))  # (B, beams, …, F)
    shifts = added.view(added.size(0), *[1] * (rows.dim() - 2), -1)
    moved: Tensor = (rows + shifts).flatten(0, 1)
    return moved


def joined(first: Tensor, second: Tensor) -> Tensor:
    """Put features side by side, `(…, A)` and `(…, B)`, in the precision of the first.

    Autocast and packed weights give bfloat16 beside float32.
    """
    return torch.cat([first, second.to(first.dtype)], dim=-1)
