"""Attention by the name that a configuration gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from seqforge.attention.additive import AdditiveAttention
from seqforge.attention.base import Attention
from seqforge.attention.dot import DotAttention
from seqforge.attention.general import GeneralAttention
from seqforge.errors import UserError, closest_match

AttentionKind = Literal["additive", "dot", "general"]

KINDS: dict[str, Callable[[int, int], Attention]] = {
    "additive": AdditiveAttention,
    "dot": DotAttention,
    "general": GeneralAttention,
}


def make_attention(kind: str, query_size: int, value_size: int) -> Attention:
    """Make an attention of a kind.

    Args:
        kind: "additive", "dot" or "general".
        query_size: `Q`.
        value_size: `C`.

    Raises:
        UserError: There is no such kind, or it cannot compare these sizes.
    """
    if kind not in KINDS:
        raise UserError(
            f"there is no attention '{kind}'",
            where="model.task.attention",
            accepted=KINDS,
            closest=closest_match(kind, KINDS),
            todo="give one of these",
        )
    return KINDS[kind](query_size, value_size)
