"""Dot-product attention (Luong et al. 2015)."""

from __future__ import annotations

import torch
from torch import Tensor

from seqforge.attention.base import Attention
from seqforge.errors import UserError


class DotAttention(Attention):
    """`score(q, k) = q^T k` (Luong et al. 2015, equation 8): nothing to learn.

    Args:
        query_size: `Q`.
        value_size: `C`, which must be the same.

    Raises:
        UserError: The sizes differ.
    """

    def __init__(self, query_size: int, value_size: int) -> None:
        super().__init__(query_size, value_size)
        if query_size != value_size:
            raise UserError(
                f"dot attention compares queries of {query_size} features with a source of "
                f"{value_size}",
                where="model.task.attention",
                todo="make the sizes equal (a bidirectional encoder gives twice its hidden_size), "
                "or use general or additive attention",
            )

    def keys(self, values: Tensor) -> Tensor:
        """Return the source itself, `(B, S, C)`."""
        return values

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return `q^T k`, `(B, T, S)`."""
        return torch.bmm(queries.to(keys.dtype), keys.transpose(1, 2))
