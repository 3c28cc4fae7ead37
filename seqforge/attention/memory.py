"""What a decoder attends to, computed once for each source."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Memory(NamedTuple):
    """An encoded source, one row for each item; all beams of an item share it.

    Attributes:
        values: `(B, S, C)`, what is mixed into the context; zero at padding.
        keys: `(B, S, K)`, what queries are compared with.
        padding: `(B, S)` bool, True where there is no source.
    """

    values: Tensor
    keys: Tensor
    padding: Tensor
