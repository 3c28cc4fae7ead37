"""Beam search as tutorials write it: a sentence at a time, k hypotheses, finished ones put aside.

That of sgrvinod's a-PyTorch-Tutorial-to-Image-Captioning, for any step function, with a length
penalty: what ends takes its place in the beam with it, and the search is over when all k have
ended. `benchmarks/decoding_speed.py` uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from seqforge.decoding import Step
from seqforge.state import State, select


class Found(NamedTuple):
    """A sentence that the search found.

    Attributes:
        tokens: Without the end mark.
        log_prob: In nats, that of the end mark included.
        score: What sentences are ranked by.
        finished: Whether the end mark was written.
    """

    tokens: tuple[int, ...]
    log_prob: float
    score: float
    finished: bool


@torch.inference_mode()
def plain_beam(
    step: Step,
    state: State,
    *,
    k: int,
    begin: int,
    end: int,
    banned: Sequence[int],
    max_length: int,
    penalty: float,
) -> Found:
    """Write one sentence.

    Args:
        step: The model.
        state: Its state before the first token, with one row.
        k: Hypotheses that are followed at once.
        begin: The token that sentences begin with.
        end: The token that ends them.
        banned: Tokens that are not to be written.
        max_length: Tokens at most, the end mark not counted.
        penalty: The exponent of `((5 + length) / 6)`, which a log-probability is divided by.
    """
    sequences, totals, tokens = torch.zeros(1, 0, dtype=torch.int64), torch.zeros(1, 1), [begin]
    complete: list[Found] = []
    for length in range(1, max_length + 2):
        log_probs, state, _ = step(torch.tensor(tokens), state)
        scores = totals + log_probs
        scores[:, list(banned)] = -torch.inf
        best, places = scores.view(-1).topk(k)
        rows, following = places // scores.size(1), places % scores.size(1)
        divisor = ((5 + length) / 6) ** penalty
        going = [place for place, token in enumerate(following.tolist()) if token != end]
        for place in sorted({*range(k)} - {*going}):
            total = best[place].item()
            written = tuple(sequences[rows[place]].tolist())
            complete.append(Found(written, total, total / divisor, finished=True))
        k = len(going)
        if k == 0 or length > max_length:
            break
        rows, tokens, totals = rows[going], following[going].tolist(), best[going].unsqueeze(1)
        sequences = torch.cat([sequences[rows], following[going].unsqueeze(1)], dim=1)
        state = select(state, rows)
    if not complete:
        total = totals[0].item()
        return Found(tuple(sequences[0].tolist()), total, total / divisor, finished=False)
    return max(complete, key=lambda each: each.score)
