"""General (bilinear) attention (Luong et al. 2015)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqforge.attention.base import Attention


class GeneralAttention(Attention):
    """`score(q, k) = q^T W k` (Luong et al. 2015, equation 8).

    Args:
        query_size: `Q`.
        value_size: `C`.
    """

    def __init__(self, query_size: int, value_size: int) -> None:
        super().__init__(query_size, value_size)
        self.key = nn.Linear(value_size, query_size, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        """Return `W k`, `(B, S, Q)`: the source is mapped once, not each query."""
        projected: Tensor = self.key(values)
        return projected

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return `q^T W k`, `(B, T, S)`."""
        return torch.bmm(queries.to(keys.dtype), keys.transpose(1, 2))
