"""A stack of recurrent layers of one kind: everything that RNN, LSTM and GRU have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from seqforge.encoders.base import Encoder, EncoderError, LayerActivations, Stepper
from seqforge.encoders.cell import Cell, LayerState
from seqforge.encoders.layer import DropoutKind, Layer, LayerNoise, LayerOptions
from seqforge.layers.masking import padding_mask
from seqforge.state import Noise, State

TABLE_ROWS = 1024
"""Vectors that are multiplied beforehand at most: more would delay the first step, or make an
engine's graph too large."""


class StackState(NamedTuple):
    """The state of a stack.

    Attributes:
        layers: One flat NamedTuple a layer, leaves `(B, H)`, the hidden state first; a
            `BidirectionalState` of two if the stack is bidirectional.
        noise: The masks of each layer, or None before they are drawn and where none are needed.
    """

    layers: tuple[LayerState, ...]
    noise: Noise


class Stack(Encoder):
    """Layers of one kind of cell; a subclass adds its constructor, and nothing else.

    Args:
        cell: The kind of layer.
        input_size: `I`.
        hidden_size: `H`; outputs are `H` wide, or `2 H` if bidirectional.
        num_layers: The number of layers.
        bidirectional: Whether each layer also runs backward.
        bias: Whether the cells have biases.
        dropout: The probability that an output of any layer is dropped in training.
        dropout_kind: "plain" or "locked".
        layer_norm: Whether each layer's outputs are normalised.
        residual: Whether a layer's input is added to its output, where the sizes match.
        weight_drop: The probability that a recurrent weight is dropped in training.
        orthogonal: Whether recurrent weights start orthogonal.

    Raises:
        EncoderError: If a size is below 1 or a probability is outside [0, 1).
    """

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int,
        bidirectional: bool,
        bias: bool,
        dropout: float,
        dropout_kind: DropoutKind,
        layer_norm: bool,
        residual: bool,
        weight_drop: float,
        orthogonal: bool,
    ) -> None:
        super().__init__()
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        _check_options(sizes, {"dropout": dropout, "weight_drop": weight_drop}, dropout_kind)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.bias = bias
        self.dropout = dropout
        self.dropout_kind = dropout_kind
        self.layer_norm = layer_norm
        self.residual = residual
        self.weight_drop = weight_drop
        self.orthogonal = orthogonal
        self.causal = not bidirectional
        self.output_size = hidden_size * (2 if bidirectional else 1)
        self.draws_per_step = dropout > 0 and dropout_kind == "plain"
        options = LayerOptions(
            hidden_size=hidden_size,
            bidirectional=bidirectional,
            bias=bias,
            dropout=dropout,
            dropout_kind=dropout_kind,
            layer_norm=layer_norm,
            residual=residual,
            weight_drop=weight_drop,
            orthogonal=orthogonal,
        )
        input_sizes = [input_size] + [self.output_size] * (num_layers - 1)
        self.layers = nn.ModuleList(Layer(cell, size, options) for size in input_sizes)

    def start(self, batch_size: int) -> StackState:
        """Give zeros for every layer, and no noise; see `Encoder.start`."""
        zeros = self.zeros(batch_size, self.hidden_size)
        return StackState(tuple(layer.start(zeros) for layer in self._typed_layers()), Noise(None))

    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, StackState]:
        """Read a sequence `(B, T, I)`; see `Encoder.forward`.

        Raises:
            EncoderError: If a shape or a length does not fit, or a bidirectional stack is given a
                state.
        """
        self.check_input(x, 3)
        if state is not None:
            self.require_causal("go on from a state")
        state = self.start(x.size(0)) if state is None else state
        lengths = self.check_lengths(lengths, x)
        noise, masks = self._noise(state.noise, x.size(0))
        padding = None
        if lengths is not None:
            padding = padding_mask(lengths, x.size(1)).unsqueeze(2)  # (B, T, 1)
            x = x.masked_fill(padding, 0.0)  # NaN there would reach gradients even times zero
        new = []
        for layer, before, mask in zip(self._typed_layers(), state.layers, masks, strict=True):
            x, after = layer(x, before, mask, lengths)
            new.append(after)
        if padding is not None:
            x = x.masked_fill(padding, 0.0)
        return x, StackState(tuple(new), noise)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, StackState]:
        """Read one step `(B, I)`; see `Encoder.step`.

        Raises:
            EncoderError: If the shape does not fit, or the stack is bidirectional.
        """
        self.require_causal("read step by step")
        self.check_input(x, 2)
        noise, masks = self._noise(state.noise, x.size(0))
        new = []
        for layer, before, mask in zip(self._typed_layers(), state.layers, masks, strict=True):
            x, after = layer.step(x, before, mask)
            new.append(after)
        return x, StackState(tuple(new), noise)

    def stepper(self) -> Stepper:
        """Give a function that steps on joined copies of the weights; see `Encoder.stepper`.

        Raises:
            EncoderError: If the stack is bidirectional.
        """
        return self._stepper(None)

    def embedded_stepper(self, embedding: Tensor) -> Stepper:
        """Give a stepper over numbers of vectors `(V, I)`; see `Encoder.embedded_stepper`.

        Few vectors are multiplied with the first layer's weights once, instead of at each step.

        Raises:
            EncoderError: If the stack is bidirectional.
        """
        if embedding.size(0) > TABLE_ROWS:
            return super().embedded_stepper(embedding)
        return self._stepper(embedding)

    def _stepper(self, rows: Tensor | None) -> Stepper:
        self.require_causal("read step by step")
        first, *others = self._typed_layers()
        with torch.no_grad():
            steppers = [first.stepper(rows), *[layer.stepper() for layer in others]]

        def advance(x: Tensor, state: State) -> tuple[Tensor, State]:
            new = []
            with torch.no_grad():
                for run, before in zip(steppers, state.layers, strict=True):
                    x, after = run(x, before)
                    new.append(after)
            return x, StackState(tuple(new), state.noise)

        return advance

    def activations(self, x: Tensor, state: State) -> list[LayerActivations]:
        """Look into one step `(B, I)` without dropout; see `Encoder.activations`.

        Raises:
            EncoderError: If the shape does not fit, or the stack is bidirectional.
        """
        self.require_causal("be looked into step by step")
        self.check_input(x, 2)
        found = []
        for layer, before in zip(self._typed_layers(), state.layers, strict=True):
            x, seen = layer.activations(x, before)
            found.append(seen)
        return found

    def _typed_layers(self) -> list[Layer]:
        return list(cast("Iterable[Layer]", self.layers))

    def _noise(
        self, noise: Noise, batch_size: int
    ) -> tuple[Noise, tuple[LayerNoise, ...] | tuple[None, ...]]:
        """Draw a new sequence's masks, all layers in order, before anything else is drawn."""
        locked = self.dropout > 0 and self.dropout_kind == "locked"
        if not self.training or not (locked or self.weight_drop > 0):
            return noise, (None,) * self.num_layers
        if noise.value is None:
            noise = Noise(tuple(layer.draw(batch_size) for layer in self._typed_layers()))
        return noise, noise.value


def _check_options(sizes: dict[str, int], rates: dict[str, float], dropout_kind: str) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise EncoderError(f"{name} must be at least 1, got {size}")
    for name, rate in rates.items():
        if not 0.0 <= rate < 1.0:
            raise EncoderError(f"{name} must be at least 0 and below 1, got {rate}")
    if dropout_kind not in ("plain", "locked"):
        raise EncoderError(f"dropout_kind is '{dropout_kind}'", accepted=("plain", "locked"))
