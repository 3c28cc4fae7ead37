"""No attention at all: a decoder that knows its source from its first state alone."""

from __future__ import annotations

from torch import Tensor

from seqforge.attention.base import Attention
from seqforge.attention.memory import Memory


class NoAttention(Attention):
    """Looks at nothing: contexts have no features, `(B, T, 0)`, and weights no places.

    For decoders whose source is only in the state they start from (Sutskever et al. 2014, Vinyals
    et al. 2015).

    Args:
        query_size: `Q`.
    """

    def __init__(self, query_size: int) -> None:
        super().__init__(query_size, value_size=0)

    def nothing(self, like: Tensor) -> Memory:
        """Return the memory of a source without places, a row for each row of `like`, `(B, …)`."""
        return self.remember(like.new_zeros(like.size(0), 0, 0))

    def keys(self, values: Tensor) -> Tensor:
        """Return the source itself, `(B, S, 0)`."""
        return values

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return scores that prefer no place, `(B, T, S)`."""
        return queries.new_zeros(*queries.shape[:2], keys.size(1))
