"""The gated recurrent unit (Cho et al. 2014), with the reset gate after the product."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.encoders.cell import Advance, LayerState, Weights, frozen_product, sum_of_products
from seqforge.encoders.gru_recurrence import gru_recurrence
from seqforge.encoders.stack import Stack


class GRUState(NamedTuple):
    """One layer's state: hidden `(B, H)`."""

    hidden: Tensor


@dataclass(frozen=True)
class GRUCell:
    """Gates in PyTorch's order: reset, update, candidate."""

    gates: ClassVar[int] = 3
    padding: ClassVar[Literal["hold", "gather", "pack"]] = "hold"
    hold: ClassVar[tuple[float, ...]] = (0.0, 1e4, 0.0)  # h_t = 0 n + 1 h_{t-1}
    state_type: ClassVar[type[GRUState]] = GRUState

    @property
    def kernel(self) -> Callable[..., tuple[Tensor, ...]]:
        """PyTorch's fused call."""
        return torch.gru

    def container(
        self, input_size: int, hidden_size: int, bias: bool, bidirectional: bool
    ) -> nn.RNNBase:
        """Make the one-layer `nn.GRU` that holds the parameters."""
        return nn.GRU(
            input_size,
            hidden_size,
            bias=bias,
            batch_first=True,
            bidirectional=bidirectional,
        )

    def sequence(self, x: Tensor, state: LayerState, weights: Weights) -> tuple[Tensor, GRUState]:
        """Run over `(T, B, I)`, with gradients; see `gru_recurrence`."""
        of_inputs = F.linear(x, weights.weight_ih, weights.bias_ih)  # (T, B, 3 H)
        bias = weights.bias_hh
        if bias is None:
            bias = weights.weight_hh.new_zeros(of_inputs.size(2))
        kind = of_inputs.dtype  # autocast's
        outputs, last = gru_recurrence(
            of_inputs, state.hidden, weights.weight_hh.to(kind), bias.to(kind)
        )
        return outputs, GRUState(last)

    def step(self, x: Tensor, state: LayerState, weights: Weights) -> GRUState:
        """Advance by one step, `(B, I)`, with gradients.

        The two products stay apart: the reset gate acts on one part of the second only.
        """
        hidden = state.hidden.to(weights.weight_hh.dtype)
        from_input = F.linear(x, weights.weight_ih, weights.bias_ih)  # (B, 3 H)
        from_hidden = F.linear(hidden, weights.weight_hh, weights.bias_hh)
        return _update(from_input.chunk(3, dim=1), from_hidden.chunk(3, dim=1), state.hidden)

    def pack(self, weights: Weights, rows: Tensor | None = None) -> Advance:
        """Copy the weights, by gates."""
        read = frozen_product(weights.weight_ih, weights.bias_ih, self.gates, rows)
        recur = frozen_product(weights.weight_hh, weights.bias_hh, self.gates)
        return lambda x, state: _update(read(x), recur(state.hidden), state.hidden)

    def gates_at(self, x: Tensor, state: LayerState, weights: Weights) -> dict[str, Tensor]:
        """Give the reset and update gates, `(B, H)` each; an open update gate keeps the state."""
        r, z, _ = sum_of_products(x, state.hidden, weights).chunk(3, dim=1)
        return {"reset": r.sigmoid(), "update": z.sigmoid()}

    def units(self, state: LayerState) -> Tensor:
        """Give the hidden state `(B, H)`, in [-1, 1]."""
        hidden: Tensor = state.hidden
        return hidden

    def initial_bias(self, bias: Tensor) -> None:
        """Leave the biases at zero."""


class GRU(Stack):
    """A stack of GRU layers.

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

    Raises:
        EncoderError: If a size is below 1 or a probability is outside [0, 1).
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
    ) -> None:
        super().__init__(
            GRUCell(),
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


def _update(
    from_input: Iterable[Tensor], from_hidden: Iterable[Tensor], hidden: Tensor
) -> GRUState:
    """`h_t = (1 - z) n + z h_{t-1}`, from the two products, three times `(B, H)` each."""
    input_r, input_z, input_n = from_input
    hidden_r, hidden_z, hidden_n = from_hidden
    r = torch.sigmoid(input_r + hidden_r)
    z = torch.sigmoid(input_z + hidden_z)
    n = torch.tanh(input_n + r * hidden_n)
    return GRUState((1 - z) * n + z * hidden)
