"""Greedy search: the most probable token at each step, as whole hypotheses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqforge.decoding.constraints import ban_tokens_, copy_into, maximum_lengths
from seqforge.decoding.hypothesis import Hypothesis
from seqforge.decoding.paths import Ends, Paths
from seqforge.decoding.step import Step
from seqforge.state import State, select_items


@torch.inference_mode()
def greedy_search(
    step: Step,
    first: Tensor,
    state: State,
    *,
    end: int,
    max_length: int | Tensor,
    banned: Sequence[int] = (),
) -> list[Hypothesis]:
    """Return the hypothesis of each item that takes the most probable token at each step.

    It is what `sample` gives at temperature 0, of equals the first token. Items that are done leave
    the batch, once they are a quarter of it.

    Args:
        step: The model, called with one row for each item.
        first: The token that each item begins with (B,).
        state: The model's state before `first`, with B rows.
        end: The end mark.
        max_length: Tokens at most, the end mark not counted: one number, or one for each item (B,).
            An item whose next token would not be the end mark then, or that has no possible next
            token, is not finished.
        banned: Tokens never given out, such as padding.

    Returns:
        One hypothesis for each item; its score is its log-probability.

    Raises:
        ValueError: A maximum is negative, there are not as many as items, or `end` is banned.
    """
    if end in banned:
        raise ValueError(f"the end mark {end} is banned: nothing could end")
    maxima = maximum_lengths(max_length, first)
    if not len(first):
        return []
    closed = torch.tensor(banned, dtype=torch.int64, device=first.device)
    totals = torch.zeros(len(first), device=first.device)
    lengths, finished = torch.zeros_like(maxima), torch.zeros_like(maxima, dtype=torch.bool)
    active, tokens, paths = torch.arange(len(first), device=first.device), first, Paths()
    scores = None
    over = torch.zeros_like(finished)  # (A,), of the items still in the batch
    for given in range(int(maxima.max()) + 1):
        log_probs, state, trace = step(tokens, state)
        scores = ban_tokens_(copy_into(scores, log_probs), closed)
        best = scores.max(dim=1, keepdim=True)
        tokens = best.indices.squeeze(1)
        paths.add(active, torch.zeros_like(best.indices), best.indices, trace)
        live = ~over & (best.values.squeeze(1) > -torch.inf)
        ends_now = live & (tokens == end)
        goes_on = live & ~ends_now & (given < maxima[active])
        totals[active] += best.values.squeeze(1).masked_fill(~(ends_now | goes_on), 0.0)
        lengths[active] += goes_on
        finished[active] |= ends_now
        over = ~goes_on
        count = int(over.sum())  # the one wait for the device in a step
        if count == len(over):
            break
        if 4 * count >= len(over):
            kept = goes_on.nonzero().squeeze(1)
            active, tokens, over = active[kept], tokens[kept], over[kept]
            state = select_items(state, kept)
    ends = Ends(
        items=np.arange(len(first)),
        lengths=lengths.cpu().numpy(),
        slots=np.zeros(len(first), dtype=np.int64),
        finished=finished.cpu().numpy(),
    )
    return [
        Hypothesis(tokens, total, total, ended, trace)
        for (tokens, trace), total, ended in zip(
            paths.follow(ends), totals.tolist(), ends.finished.tolist(), strict=True
        )
    ]
