"""`Attention`: where to look in a source, given what has been written so far."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from seqforge.attention.memory import Memory
from seqforge.layers import padding_mask
from seqforge.state import widen


class Attended(NamedTuple):
    """What was found in a source.

    Attributes:
        context: `(B, T, C)`, the weighted mean of the source's values.
        weights: `(B, T, S)`, at least float32; each row sums to 1 and is exactly 0 at padding.
    """

    context: Tensor
    weights: Tensor


class Attention(nn.Module, ABC):
    """Base class: a subclass says how well a query and a key agree.

    Args:
        query_size: `Q`, the number of features of a query.
        value_size: `C`, the number of features of the source.
    """

    def __init__(self, query_size: int, value_size: int) -> None:
        super().__init__()
        self.query_size = query_size
        self.value_size = value_size

    @abstractmethod
    def keys(self, values: Tensor) -> Tensor:
        """Return what queries are compared with, `(B, S, K)`, of the source `(B, S, C)`."""

    @abstractmethod
    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return how well queries `(B, T, Q)` and keys `(B, S, K)` agree, `(B, T, S)`."""

    def remember(self, values: Tensor, lengths: Tensor | None = None) -> Memory:
        """Prepare a source once, for all queries that will come.

        Args:
            values: `(B, S, C)`, finite at padding.
            lengths: `(B,)` int64, the valid steps of each row; None: all are.
        """
        if lengths is None:
            padding = torch.zeros(values.shape[:2], dtype=torch.bool, device=values.device)
        else:
            padding = padding_mask(lengths.to(values.device), values.size(1))
        # As it comes from a fused encoder, steps first, a product would copy its matrix B times.
        values = values.contiguous()
        return Memory(values, self.keys(values), padding)

    def forward(self, queries: Tensor, memory: Memory) -> Attended:
        """Look up queries in a source.

        The softmax is taken in float32 at least, over what is no padding. An item's queries may be
        the steps of its target, or its beams: the memory has one row for each item in both cases.

        Args:
            queries: `(B, T, Q)`.
            memory: The source, from `remember`.
        """
        scores: Tensor = widen(self.scores(queries, memory.keys))  # (B, T, S)
        padding = memory.padding.unsqueeze(1)  # (B, 1, S)
        weights = scores.masked_fill(padding, torch.finfo(scores.dtype).min).softmax(dim=2)
        weights = weights.masked_fill(padding, 0.0)  # also where a row has no source at all
        return Attended(torch.bmm(weights.to(memory.values.dtype), memory.values), weights)

    def attend_rows(self, queries: Tensor, memory: Memory) -> Attended:
        """Look up one step of each row, where an item may have several rows: its beams.

        Args:
            queries: `(N, Q)`, N a multiple of the memory's B rows, the rows of an item together.
            memory: The source, from `remember`.

        Returns:
            The context `(N, C)` and the weights `(N, S)`.
        """
        grouped = queries.reshape(memory.values.size(0), -1, queries.size(1))  # (B, N / B, Q)
        attended: Attended = self(grouped, memory)
        return Attended(attended.context.flatten(0, 1), attended.weights.flatten(0, 1))
