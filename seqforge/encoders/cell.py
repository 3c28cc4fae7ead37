"""What distinguishes an LSTM layer from a GRU layer, for the stack that runs either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LayerState = Any
"""A flat NamedTuple of `(B, H)` leaves, the hidden state first."""

Advance = Callable[[Tensor, LayerState], LayerState]
"""`(x (B, I), state) -> state`; or of numbers `(B,)`, see `Cell.pack`."""


class Weights(NamedTuple):
    """One direction of one layer; `G` gates.

    Attributes:
        weight_ih: `(G * H, I)`.
        weight_hh: `(G * H, H)`.
        bias_ih: `(G * H,)`, or None.
        bias_hh: `(G * H,)`, or None.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None


SequenceRun = Callable[[Tensor, LayerState, Weights], tuple[Tensor, LayerState]]
"""`(x (T, B, I), state, weights) -> (outputs (T, B, H), state)`."""


class Cell(Protocol):
    """One kind of recurrent layer, in the layout of PyTorch's own modules."""

    @property
    def gates(self) -> int:
        """`G`, the number of blocks of `H` rows in the weights."""
        ...

    @property
    def padding(self) -> Literal["hold", "gather", "pack"]:
        """How padding is passed over where the kernel is not cuDNN's (see `padded`)."""
        ...

    @property
    def hold(self) -> tuple[float, ...]:
        """For each gate, the weight of the padding feature that makes the cell keep its state."""
        ...

    @property
    def state_type(self) -> type[Any]:
        """The NamedTuple that the layer's `(B, H)` leaves make."""
        ...

    @property
    def kernel(self) -> Callable[..., tuple[Tensor, ...]]:
        """PyTorch's fused call for whole sequences, such as `torch.lstm`."""
        ...

    @property
    def sequence(self) -> SequenceRun | None:
        """A run over a whole sequence that on CPUs trains faster than the kernel; None: no."""
        ...

    def container(
        self, input_size: int, hidden_size: int, bias: bool, bidirectional: bool
    ) -> nn.RNNBase:
        """Make the one-layer module that holds the parameters."""
        ...

    def step(self, x: Tensor, state: LayerState, weights: Weights) -> LayerState:
        """Advance by one step, `(B, I)`, with gradients."""
        ...

    def pack(self, weights: Weights, rows: Tensor | None = None) -> Advance:
        """Copy the weights into the form that steps fastest.

        Args:
            weights: As they are now.
            rows: `(V, I)`, all that is ever read: what is made reads their numbers, `(B,)`,
                instead. None: any `x (B, I)`.
        """
        ...

    def gates_at(self, x: Tensor, state: LayerState, weights: Weights) -> dict[str, Tensor]:
        """Give the gates, by name and `(B, H)`, that `step` would apply; empty without gates."""
        ...

    def units(self, state: LayerState) -> Tensor:
        """Give what each unit of a state remembers, `(B, H)`, to be looked at."""
        ...

    def initial_bias(self, bias: Tensor) -> None:
        """Fill the input bias `(G * H,)`, which is zero, where it should not be."""
        ...


def sum_of_products(x: Tensor, hidden: Tensor, weights: Weights) -> Tensor:
    """Give `x W_ih^T + b_ih + h W_hh^T + b_hh`, `(B, G * H)`."""
    hidden = hidden.to(weights.weight_hh.dtype)
    return F.linear(x, weights.weight_ih, weights.bias_ih) + F.linear(
        hidden, weights.weight_hh, weights.bias_hh
    )


def frozen_product(
    weight: Tensor, bias: Tensor | None, gates: int, rows: Tensor | None = None
) -> Callable[[Tensor], Tensor]:
    """Freeze `x W^T + b` for single steps: one product a gate, on transposed weights.

    On a CPU this takes from four rows on half the time of one product with all gates, which leaves
    the long side of the weights together.

    Args:
        weight: `(G * H, I)`, copied as it is now.
        bias: `(G * H,)`, or None.
        gates: `G`.
        rows: `(V, I)`, all that is ever read: their products are then made once.

    Returns:
        `x (B, I) -> (G, B, H)`; with `rows` the argument is their numbers, `(B,)` int64.
    """
    if rows is not None:
        products = F.linear(rows, weight, bias)  # (V, G * H)
        table = products.unflatten(1, (gates, -1)).transpose(0, 1).contiguous()  # (G, V, H)
        return lambda numbers: table.index_select(1, numbers)
    matrices = transposed_gates(weight, gates)
    bias = torch.zeros_like(weight[:, 0]) if bias is None else bias.clone()
    offset = bias.view(gates, 1, -1)  # (G, 1, H)
    return lambda x: torch.baddbmm(offset, x.to(matrices.dtype).expand(gates, -1, -1), matrices)


def frozen_sum(
    weights: Weights, gates: int, rows: Tensor | None = None
) -> Callable[[Tensor, Tensor], Tensor]:
    """Freeze `sum_of_products` with the weights as they are now, by gates.

    Args:
        weights: They are copied.
        gates: `G`.
        rows: `(V, I)`, all that is ever read, or None; see `frozen_product`.

    Returns:
        `(x (B, I), hidden (B, H)) -> (G, B, H)`; with `rows` the first argument is their numbers.
    """
    bias = None
    if weights.bias_ih is not None and weights.bias_hh is not None:
        bias = weights.bias_ih + weights.bias_hh
    if rows is None:
        matrix = torch.cat([weights.weight_ih, weights.weight_hh], dim=1)
        product = frozen_product(matrix, bias, gates)
        return lambda x, hidden: product(torch.cat([x, hidden.to(x.dtype)], dim=1))
    look_up = frozen_product(weights.weight_ih, bias, gates, rows)
    matrices = transposed_gates(weights.weight_hh, gates)
    return lambda numbers, hidden: torch.baddbmm(
        look_up(numbers), hidden.to(matrices.dtype).expand(gates, -1, -1), matrices
    )


def transposed_gates(weight: Tensor, gates: int) -> Tensor:
    """Copy `(G * H, I)` to one transposed matrix a gate, `(G, I, H)`."""
    each: Tensor = weight.unflatten(0, (gates, -1)).transpose(1, 2)
    return each.clone(memory_format=torch.contiguous_format)


def contiguous(weights: Sequence[Weights]) -> tuple[Weights, ...]:
    """Lay altered weights into one piece of memory, in the order that cuDNN wants.

    Without this cuDNN copies them at every call and warns of it. Gradients flow through.

    Args:
        weights: Those of each direction.

    Returns:
        Views of one new tensor: all matrices, then all biases.
    """
    matrices = [m for direction in weights for m in direction[:2]]
    biases = [b for direction in weights for b in direction[2:] if b is not None]
    tensors = [*matrices, *biases]
    memory = torch.cat([tensor.flatten() for tensor in tensors])
    pieces = torch.split(memory, [tensor.numel() for tensor in tensors])
    views = [piece.view_as(tensor) for piece, tensor in zip(pieces, tensors, strict=True)]
    bias_views = iter(views[len(matrices) :])
    return tuple(
        Weights(
            views[2 * number],
            views[2 * number + 1],
            *(None if bias is None else next(bias_views) for bias in direction[2:]),
        )
        for number, direction in enumerate(weights)
    )
