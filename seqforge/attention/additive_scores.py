"""The scores of additive attention in training, without their largest tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqforge.precision import full_precision

CACHED = 2**19
"""Elements of a piece on a CPU: with a second one they stay in its cache."""


def additive_scores(queries: Tensor, keys: Tensor, energy: Tensor) -> Tensor:
    """Return `v^T tanh(q + k)` of projected queries and keys, `(B, T, S)`, float32 at least.

    What is between, `tanh(q + k)` of `(B, T, S, A)`, is A times as large as the scores. Here it
    is made a few items at a time and never kept: the backward pass makes it again. On a CPU the
    pieces stay in the cache, which is what makes both passes several times as fast.

    With `d = 1 - tanh^2(q + k)` and the gradient `g` of the scores, the gradients are
    `v sum_s g d` for a query, `v sum_t g d` for a key, and `sum g tanh(q + k)` for `v`.

    Args:
        queries: `(B, T, A)`.
        keys: `(B, S, A)`.
        energy: `v`, `(A,)`.
    """
    scores: Tensor = _AdditiveScores.apply(  # type: ignore[no-untyped-call]
        queries, keys, energy
    )
    return scores


class _AdditiveScores(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, energy: Tensor) -> Tensor:
        ctx.save_for_backward(queries, keys, energy)
        with full_precision(queries.device):
            wide = torch.promote_types(queries.dtype, torch.float32)
            energy = energy.to(wide)
            scores = queries.new_empty(*queries.shape[:2], keys.size(1), dtype=wide)
            for items, squashed in _squashed(queries.to(wide), keys.to(wide)):
                torch.matmul(squashed, energy, out=scores[items])
        return scores

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        queries, keys, energy = ctx.saved_tensors
        with full_precision(queries.device):
            wide = gradient.dtype
            gradient = gradient.contiguous()
            of_queries, of_keys = (torch.empty_like(part, dtype=wide) for part in (queries, keys))
            of_energy = torch.zeros_like(energy, dtype=wide)
            for items, squashed in _squashed(queries.to(wide), keys.to(wide)):
                part = gradient[items]  # (n, T, S)
                of_energy.addmv_(squashed.flatten(0, 2).t(), part.flatten())
                square = squashed.square_()  # (n, T, S, A)
                of_queries[items] = (part.unsqueeze(2) @ square).squeeze(2)
                across = part.transpose(1, 2).unsqueeze(2) @ square.transpose(1, 2)  # (n, S, 1, A)
                of_keys[items] = across.squeeze(2)
            # sum g (1 - tanh^2) = sum g - sum g tanh^2
            of_queries = (gradient.sum(dim=2).unsqueeze(2) - of_queries) * energy
            of_keys = (gradient.sum(dim=1).unsqueeze(2) - of_keys) * energy
        return of_queries.to(queries.dtype), of_keys.to(keys.dtype), of_energy.to(energy.dtype)


def _squashed(queries: Tensor, keys: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield `tanh(q + k)` `(n, T, S, A)` of some items at a time, in memory that is used again."""
    items, time, size = queries.shape
    each = time * keys.size(1) * size
    count = max(1, CACHED // max(1, each)) if queries.device.type == "cpu" else max(1, items)
    memory = queries.new_empty(min(count, items), time, keys.size(1), size)
    for first in range(0, items, count):
        part = slice(first, min(first + count, items))
        squashed = memory[: part.stop - first]
        torch.add(queries[part].unsqueeze(2), keys[part].unsqueeze(1), out=squashed)
        yield part, squashed.tanh_()
