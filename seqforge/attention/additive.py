"""Additive attention (Bahdanau et al. 2014)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqforge.attention.additive_scores import additive_scores
from seqforge.attention.base import Attention


class AdditiveAttention(Attention):
    """`score(q, k) = v^T tanh(W q + U k)` (Bahdanau et al. 2014, appendix A.1.2).

    Args:
        query_size: `Q`.
        value_size: `C`.
        size: `A`, the width in which queries and source are compared; None: `Q`.
    """

    def __init__(self, query_size: int, value_size: int, size: int | None = None) -> None:
        super().__init__(query_size, value_size)
        size = query_size if size is None else size
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(value_size, size)
        self.energy = nn.Linear(size, 1, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        """Return `U k + b`, `(B, S, A)`."""
        projected: Tensor = self.key(values)
        return projected

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return `v^T tanh(W q + U k)`, `(B, T, S)`."""
        projected = self.query(queries)  # (B, T, A)
        if torch.is_grad_enabled():
            return additive_scores(projected, keys, self.energy.weight[0])
        together = projected.unsqueeze(2) + keys.unsqueeze(1)  # (B, T, S, A)
        energy: Tensor = self.energy(together.tanh_())
        return energy.squeeze(3)
