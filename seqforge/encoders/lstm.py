"""The long short-term memory (Hochreiter & Schmidhuber 1997), with a forget gate (Gers 2000)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from seqforge.encoders.cell import Advance, LayerState, Weights, frozen_sum, sum_of_products
from seqforge.encoders.stack import Stack


class LSTMState(NamedTuple):
    """One layer's state: hidden `(B, H)` and cell `(B, H)`."""

    hidden: Tensor
    cell: Tensor


@dataclass(frozen=True)
class LSTMCell:
    """Gates in PyTorch's order: input, forget, candidate, output.

    Args:
        forget_bias: Where the forget gate's bias starts.
    """

    forget_bias: float = 1.0
    gates: ClassVar[int] = 4
    padding: ClassVar[Literal["hold", "gather", "pack"]] = "hold"
    hold: ClassVar[tuple[float, ...]] = (-1e4, 1e4, 0.0, 0.0)  # c_t = 1 c_{t-1} + 0 g
    state_type: ClassVar[type[LSTMState]] = LSTMState
    sequence: ClassVar[None] = None  # oneDNN has a fused LSTM

    @property
    def kernel(self) -> Callable[..., tuple[Tensor, ...]]:
        """PyTorch's fused call."""
        return torch.lstm

    def container(
        self, input_size: int, hidden_size: int, bias: bool, bidirectional: bool
    ) -> nn.RNNBase:
        """Make the one-layer `nn.LSTM` that holds the parameters."""
        return nn.LSTM(
            input_size,
            hidden_size,
            bias=bias,
            batch_first=True,
            bidirectional=bidirectional,
        )

    def step(self, x: Tensor, state: LayerState, weights: Weights) -> LSTMState:
        """Advance by one step, `(B, I)`, with gradients."""
        total = sum_of_products(x, state.hidden, weights)  # (B, 4 H)
        return _update(total.chunk(4, dim=1), state.cell)

    def pack(self, weights: Weights, rows: Tensor | None = None) -> Advance:
        """Join the weights, by gates: those with a sigmoid first, which take it together."""
        product = frozen_sum(Weights._make(map(_squashed_alike, weights)), self.gates, rows)

        def advance(x: Tensor, state: LayerState) -> LSTMState:
            total = product(x, state.hidden)  # (4, B, H): i, f, o, g
            i, f, o = total[:3].sigmoid_().unbind()
            cell = torch.addcmul(f * state.cell, i, total[3].tanh_())
            return LSTMState(o * torch.tanh(cell), cell)

        return advance

    def gates_at(self, x: Tensor, state: LayerState, weights: Weights) -> dict[str, Tensor]:
        """Give the input, forget and output gates, `(B, H)` each."""
        i, f, _, o = sum_of_products(x, state.hidden, weights).chunk(4, dim=1)
        return {"input": i.sigmoid(), "forget": f.sigmoid(), "output": o.sigmoid()}

    def units(self, state: LayerState) -> Tensor:
        """Give `tanh(c)`, `(B, H)`: what is remembered, before the output gate hides it."""
        return torch.tanh(state.cell)

    def initial_bias(self, bias: Tensor) -> None:
        """Open the forget gate (Jozefowicz et al. 2015), on this bias `(4 H,)` alone."""
        bias.chunk(4)[1].fill_(self.forget_bias)


class LSTM(Stack):
    """A stack of LSTM layers.

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
        forget_bias: Where the forget gate's bias starts; 1 lets memory through from the beginning
            (Jozefowicz et al. 2015). Without `bias` it has no effect.

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
        forget_bias: float = 1.0,
    ) -> None:
        super().__init__(
            LSTMCell(forget_bias),
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
        self.forget_bias = forget_bias


def _update(gates: Iterable[Tensor], cell: Tensor) -> LSTMState:
    """`c_t = f c_{t-1} + i g`, `h_t = o tanh(c_t)`, from four `(B, H)` before squashing."""
    i, f, g, o = gates
    cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
    return LSTMState(torch.sigmoid(o) * torch.tanh(cell), cell)


def _squashed_alike(weight: Tensor | None) -> Tensor | None:
    """Put the candidate's block of `(4 H, …)` behind the output gate's."""
    if weight is None:
        return None
    i, f, g, o = weight.chunk(4)
    return torch.cat([i, f, o, g])
