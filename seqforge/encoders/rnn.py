"""The simple recurrent network (Elman 1990)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.encoders.base import EncoderError
from seqforge.encoders.cell import Advance, LayerState, Weights, frozen_sum, sum_of_products
from seqforge.encoders.rnn_recurrence import Nonlinearity, rnn_recurrence
from seqforge.encoders.stack import Stack


class RNNState(NamedTuple):
    """One layer's state: hidden `(B, H)`."""

    hidden: Tensor


@dataclass(frozen=True)
class RNNCell:
    """No gates: the new state is a squashed sum.

    Args:
        nonlinearity: "tanh" or "relu".
    """

    nonlinearity: Nonlinearity = "tanh"
    gates: ClassVar[int] = 1
    hold: ClassVar[tuple[float, ...]] = ()
    state_type: ClassVar[type[RNNState]] = RNNState

    @property
    def padding(self) -> Literal["hold", "gather", "pack"]:
        """Gather; but a relu that ran on through padding could grow without bound: pack."""
        return "gather" if self.nonlinearity == "tanh" else "pack"

    @property
    def kernel(self) -> Callable[..., tuple[Tensor, ...]]:
        """PyTorch's fused call."""
        return torch.rnn_tanh if self.nonlinearity == "tanh" else torch.rnn_relu

    def container(
        self, input_size: int, hidden_size: int, bias: bool, bidirectional: bool
    ) -> nn.RNNBase:
        """Make the one-layer `nn.RNN` that holds the parameters."""
        return nn.RNN(
            input_size,
            hidden_size,
            bias=bias,
            batch_first=True,
            bidirectional=bidirectional,
            nonlinearity=self.nonlinearity,
        )

    def sequence(self, x: Tensor, state: LayerState, weights: Weights) -> tuple[Tensor, RNNState]:
        """Run over `(T, B, I)`, with gradients; see `rnn_recurrence`."""
        bias = weights.bias_ih
        if bias is not None and weights.bias_hh is not None:
            bias = bias + weights.bias_hh
        of_inputs = F.linear(x, weights.weight_ih, bias)  # (T, B, H)
        weight = weights.weight_hh.to(of_inputs.dtype)  # autocast's
        outputs, last = rnn_recurrence(of_inputs, state.hidden, weight, self.nonlinearity)
        return outputs, RNNState(last)

    def step(self, x: Tensor, state: LayerState, weights: Weights) -> RNNState:
        """Advance by one step, `(B, I)`, with gradients."""
        return self._update(sum_of_products(x, state.hidden, weights))

    def pack(self, weights: Weights, rows: Tensor | None = None) -> Advance:
        """Join the weights."""
        product = frozen_sum(weights, self.gates, rows)
        return lambda x, state: self._update(product(x, state.hidden)[0])

    def gates_at(self, x: Tensor, state: LayerState, weights: Weights) -> dict[str, Tensor]:
        """Give none."""
        return {}

    def units(self, state: LayerState) -> Tensor:
        """Give the hidden state `(B, H)`; in [-1, 1] for tanh."""
        hidden: Tensor = state.hidden
        return hidden

    def initial_bias(self, bias: Tensor) -> None:
        """Leave the biases at zero."""

    def _update(self, total: Tensor) -> RNNState:
        squash = torch.tanh if self.nonlinearity == "tanh" else torch.relu
        return RNNState(squash(total))


class RNN(Stack):
    """A stack of simple recurrent layers.

    Args:
        input_size: `I`, the number of input features.
        hidden_size: `H`, the number of units of each layer and direction.
        num_layers: The number of layers.
        bidirectional: Whether each layer also runs backward; outputs are then `2 H` wide, and the
            encoder neither steps nor takes a state.
        bias: Whether the cells have biases.
        dropout: The probability, in [0, 1), that an output of a layer, the last one too, is
            dropped in training.
        dropout_kind: "plain" draws for each element and step (Srivastava et al. 2014), "locked"
            one mask for each sequence (Gal & Ghahramani 2016).
        layer_norm: Whether each layer's outputs are normalised (Ba et al. 2016).
        residual: Whether a layer's input is added to its output, where the sizes match.
        weight_drop: The probability, in [0, 1), that a recurrent weight is dropped in training,
            once for each sequence (DropConnect; Merity et al. 2017).
        orthogonal: Whether recurrent weights start orthogonal, each gate on its own (Saxe et al.
            2013); else as PyTorch draws them.
        nonlinearity: "tanh" or "relu".

    Raises:
        EncoderError: If a size is below 1 or a probability is outside [0, 1),
            or the nonlinearity is unknown.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 512,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        bias: bool = True,
        dropout: float = 0.0,
        dropout_kind: Literal["plain", "locked"] = "plain",
        layer_norm: bool = False,
        residual: bool = False,
        weight_drop: float = 0.0,
        orthogonal: bool = True,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise EncoderError(f"nonlinearity is '{nonlinearity}'", accepted=("tanh", "relu"))
        super().__init__(
            RNNCell(nonlinearity),
            input_size,
            hidden_size,
            num_layers=num_layers,
            bidirectional=bidirectional,
            bias=bias,
            dropout=dropout,
            dropout_kind=dropout_kind,
            layer_norm=layer_norm,
            residual=residual,
            weight_drop=weight_drop,
            orthogonal=orthogonal,
        )
        self.nonlinearity = nonlinearity
