"""One layer of a stack: the fused call, layer norm, the residual and dropout, in this order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.encoders.base import LayerActivations
from seqforge.encoders.cell import Cell, LayerState, Weights, contiguous
from seqforge.encoders.fused import run_fused
from seqforge.encoders.padded import way_for
from seqforge.layers.dropout import draw_mask, locked_dropout, plain_dropout
from seqforge.state import Shared, widen

DropoutKind = Literal["plain", "locked"]


@dataclass(frozen=True)
class LayerOptions:
    """What all layers of a stack have in common; see the encoders for the meanings."""

    hidden_size: int
    bidirectional: bool
    bias: bool
    dropout: float
    dropout_kind: DropoutKind
    layer_norm: bool
    residual: bool
    weight_drop: float
    orthogonal: bool


class BidirectionalState(NamedTuple):
    """The states of both directions of one layer, each at the end of its own way."""

    forward: Any
    backward: Any


class LayerNoise(NamedTuple):
    """The masks of one layer for one sequence.

    Attributes:
        recurrent: `Shared` tuple of `(G * H, H)` masks on each direction's recurrent weights, or
            None.
        output: `(B, D * H)` mask on the output, or None.
    """

    recurrent: Any
    output: Any


class Layer(nn.Module):
    """One layer of any kind of cell.

    Args:
        cell: The kind.
        input_size: `I`.
        options: What the layers of the stack have in common.
    """

    def __init__(self, cell: Cell, input_size: int, options: LayerOptions) -> None:
        super().__init__()
        self.cell = cell
        self.options = options
        self.directions = 2 if options.bidirectional else 1
        self.output_size = self.directions * options.hidden_size
        self.residual = options.residual and input_size == self.output_size
        self.rnn = cell.container(
            input_size, options.hidden_size, options.bias, options.bidirectional
        )
        self.norm = nn.LayerNorm(self.output_size) if options.layer_norm else None
        self.initialise()

    def initialise(self) -> None:
        """Draw the weights: input Xavier, recurrent orthogonal, each gate on its own; biases 0."""
        with torch.no_grad():
            for direction in self.weights(None):
                for gate in direction.weight_ih.chunk(self.cell.gates):
                    nn.init.xavier_uniform_(gate)
                if self.options.orthogonal:  # else as PyTorch draws them
                    for gate in direction.weight_hh.chunk(self.cell.gates):
                        nn.init.orthogonal_(gate)
                if direction.bias_ih is not None and direction.bias_hh is not None:
                    direction.bias_ih.zero_()
                    direction.bias_hh.zero_()
                    self.cell.initial_bias(direction.bias_ih)

    def start(self, zeros: Tensor) -> LayerState:
        """Give the layer's start state, of zeros `(B, H)`."""
        one = self.cell.state_type(*[zeros] * len(self.cell.state_type._fields))
        return BidirectionalState(one, one) if self.options.bidirectional else one

    def draw(self, batch_size: int) -> LayerNoise:
        """Draw the masks that last for a whole sequence: recurrent weights first, then output."""
        recurrent, output = None, None
        like = self.weights(None)[0].weight_hh
        if self.options.weight_drop > 0:
            rate, shape = self.options.weight_drop, tuple(like.shape)
            recurrent = Shared(tuple(draw_mask(shape, rate, like) for _ in range(self.directions)))
        if self.options.dropout > 0 and self.options.dropout_kind == "locked":
            output = draw_mask((batch_size, self.output_size), self.options.dropout, like)
        return LayerNoise(recurrent, output)

    def weights(self, noise: LayerNoise | None) -> tuple[Weights, ...]:
        """Give each direction's weights, with DropConnect on the recurrent ones if drawn.

        Args:
            noise: The layer's masks; None: the parameters themselves.

        Returns:
            One `Weights` a direction.
        """
        plain = tuple(_weights(self.rnn, way) for way in ("", "_reverse")[: self.directions])
        if noise is None or noise.recurrent is None:
            return plain
        dropped = [
            w._replace(weight_hh=w.weight_hh * mask.to(w.weight_hh.dtype))
            for w, mask in zip(plain, noise.recurrent.value, strict=True)
        ]
        return contiguous(dropped) if plain[0].weight_hh.is_cuda else tuple(dropped)

    def forward(
        self, x: Tensor, state: LayerState, noise: LayerNoise | None, lengths: Tensor | None
    ) -> tuple[Tensor, LayerState]:
        """Run over a sequence.

        Args:
            x: `(B, T, I)`, finite at padding.
            state: The layer's state.
            noise: Its masks; None outside training.
            lengths: `(B,)` on the device of `x`, or None where all rows are full.

        Returns:
            Outputs `(B, T, D * H)`, undefined at padding, and the state, at least float32.
        """
        states = tuple(state) if self.options.bidirectional else (state,)
        weights = self.weights(noise)
        if lengths is None:
            outputs, last = run_fused(self.cell, x, states, weights)
        else:
            outputs, last = way_for(self.cell, x)(self.cell, x, states, weights, lengths)
        new = BidirectionalState(*last) if self.options.bidirectional else last[0]
        return self._finish(outputs, x, noise), widen(new)

    def step(
        self, x: Tensor, state: LayerState, noise: LayerNoise | None
    ) -> tuple[Tensor, LayerState]:
        """Run over one step, `(B, I)`, as `forward` would, through plain products."""
        weights = self.weights(noise)[0]
        new = widen(self.cell.step(x, state, weights))
        output = new[0].to(weights.weight_hh.dtype)
        return self._finish(output, x, noise), new

    def activations(self, x: Tensor, state: LayerState) -> tuple[Tensor, LayerActivations]:
        """Give the output of a step `(B, I)` without noise, and what the layer does at it."""
        gates = self.cell.gates_at(x, state, self.weights(None)[0])
        output, new = self.step(x, state, None)
        return output, LayerActivations(self.cell.units(new), gates)

    def stepper(
        self, rows: Tensor | None = None
    ) -> Callable[[Tensor, LayerState], tuple[Tensor, LayerState]]:
        """Copy the weights as they are now and give a function that steps without dropout.

        Args:
            rows: `(V, I)`, all that is ever read: the function then takes their numbers, `(B,)`.
        """
        weights = self.weights(None)[0]
        advance, dtype = self.cell.pack(weights, rows), weights.weight_hh.dtype
        norm = None if self.norm is None else _frozen_norm(self.norm)
        residual = self.residual
        skipped = None if rows is None or not residual else rows.clone()

        def run(x: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
            new = widen(advance(x, state))
            output: Tensor = new[0].to(dtype)
            if norm is not None:
                output = norm(output)
            if skipped is not None:
                x = skipped.index_select(0, x)
            return output + x if residual else output, new

        return run

    def _finish(self, output: Tensor, x: Tensor, noise: LayerNoise | None) -> Tensor:
        """Normalise, add the input, drop; for a sequence `(B, T, O)` or a step `(B, O)`."""
        if self.norm is not None:
            output = self.norm(output)
        if self.residual:
            output = output + x
        if not self.training or self.options.dropout == 0:
            return output
        if self.options.dropout_kind == "plain":
            return plain_dropout(output, self.options.dropout)
        assert noise is not None  # the stack draws before it runs
        return locked_dropout(output, noise.output)


def _weights(rnn: nn.RNNBase, suffix: str) -> Weights:
    def named(name: str) -> Tensor:
        parameter: Tensor = getattr(rnn, f"{name}_l0{suffix}")
        return parameter

    return Weights(
        named("weight_ih"),
        named("weight_hh"),
        named("bias_ih") if rnn.bias else None,
        named("bias_hh") if rnn.bias else None,
    )


def _frozen_norm(norm: nn.LayerNorm) -> Callable[[Tensor], Tensor]:
    weight, bias = norm.weight.clone(), norm.bias.clone()
    return lambda x: F.layer_norm(x, weight.shape, weight, bias, norm.eps)
