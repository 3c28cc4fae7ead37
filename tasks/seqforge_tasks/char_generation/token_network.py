"""The network as one module that reads a number and tells the next one's probabilities."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.encoders import Encoder
from seqforge.layers import Head
from seqforge.state import State


class TokenNetwork(nn.Module):
    """Embedding, encoder and head, one step at a time: what engines take over.

    Args:
        embedding: Numbers to vectors.
        encoder: The recurrent network.
        head: Its outputs to scores of the next number.
        offset: `(V,)`, added to all log-probabilities: -inf for what is never written.
    """

    offset: Tensor

    def __init__(
        self, embedding: nn.Embedding, encoder: Encoder, head: Head, offset: Tensor
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.encoder = encoder
        self.head = head
        self.register_buffer("offset", offset)

    def forward(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read numbers `(N,)`; return log-probabilities `(N, V)` and the state after them."""
        outputs, state = self.encoder.step(self.embedding(tokens), state)
        # Without the head's own context for precision, which a graph cannot have.
        scores = F.linear(outputs, self.head.weight, self.head.bias)
        # `log_softmax` below, in three nodes of a graph instead of ten.
        bound = torch.finfo(scores.dtype).max
        numbers = torch.where(scores.isnan(), 0.0, scores).clamp(-bound, bound)
        return numbers.log_softmax(dim=-1) + self.offset, state


def log_softmax(scores: Tensor) -> Tensor:
    """Normalise scores `(…, V)`.

    Weights that have run away still write something; the loss tells what they are worth.
    """
    return scores.nan_to_num().log_softmax(dim=-1)
