"""From a vector to the state in which an encoder begins."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqforge.encoders.base import Encoder
from seqforge.state import State, leaves, map_state, widen


class Bridge(nn.Module):
    """Starts an encoder's state from a context vector: `tanh(W c + b)` for each leaf.

    As in Bahdanau et al. 2014 (appendix A.2.2, `s_0 = tanh(W_s h_1)`), with a map of its own for
    every `(B, d)` leaf, so for an LSTM's hidden and cell alike. Leaves of other shapes start as the
    encoder starts them, noise stays undrawn and None stays None. Works for any encoder, as it asks
    for nothing but `encoder.start`.

    Args:
        encoder: Whose state is to be started; it does not become a part of this module.
        context_size: `C`, the number of features of the context.
    """

    def __init__(self, encoder: Encoder, context_size: int) -> None:
        super().__init__()
        self.context_size = context_size
        # One row of zeros: it gives the structure and the sizes, and takes no part in computing.
        self.template: State = map_state(Tensor.detach, encoder.start(1))
        sizes = [leaf.size(1) for leaf in leaves(self.template) if _is_mapped(leaf)]
        self.maps = nn.ModuleList(nn.Linear(context_size, size) for size in sizes)
        for linear in self.maps:
            linear.to(next(encoder.parameters()).device)

    def forward(self, context: Tensor) -> State:
        """Start a state.

        Args:
            context: `(B, C)`.

        Returns:
            A state of the encoder, leaves `(B, …)`, at least float32.
        """
        maps = iter(self.maps)

        def begin(leaf: Tensor) -> Tensor:
            if _is_mapped(leaf):
                return torch.tanh(next(maps)(context))  # (B, C) -> (B, d)
            return leaf.to(context.device).expand(context.size(0), *leaf.shape[1:]).clone()

        return widen(map_state(begin, self.template))


def _is_mapped(leaf: Tensor) -> bool:
    return leaf.dim() == 2 and leaf.is_floating_point()
