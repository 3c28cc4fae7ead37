"""Sampling and greedy decoding, one token at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from seqforge.decoding.step import Step
from seqforge.decoding.truncation import keep_top_k, keep_top_p
from seqforge.state import State


class Sampled(NamedTuple):
    """One decoding step of all rows.

    Attributes:
        tokens: The tokens chosen (N,); `end` for rows that had finished before.
        log_probs: Their log-probabilities under the model (N,), whatever they were drawn from: at
            temperature 1 and with no token left out; 0 for rows that had finished before.
        finished: Rows that have given out `end` by now (N,), bool.
        trace: The model's trace of the step.
    """

    tokens: Tensor
    log_probs: Tensor
    finished: Tensor
    trace: State


@torch.inference_mode()
def sample(
    step: Step,
    first: Tensor,
    state: State,
    *,
    length: int,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seeds: Sequence[int] | None = None,
    end: int | None = None,
) -> Iterator[Sampled]:
    """Draw tokens one after the other, as an iterator.

    Each row draws from a generator of its own, so its text depends neither on the batch it is
    decoded in nor on its neighbours, nor does it disturb the global generator.

    Args:
        step: The model.
        first: The last known token of each row (N,).
        state: The model's state before `first`.
        length: Tokens to give out at most.
        temperature: Divides the log-probabilities before the draw (Ackley et al. 1985); 0 takes
            the most probable token (greedy).
        top_k: Draw from this many likeliest tokens only; 0: from all.
        top_p: Draw from the fewest likeliest tokens that have this share of the probability
            (nucleus sampling, Holtzman et al. 2020), after temperature and `top_k`; at least from
            one. 1: from all.
        seeds: One seed for each row; 0, 1, 2, … by default.
        end: The token that ends a row; None: rows go on to `length`.

    Raises:
        ValueError: The temperature or `top_k` is negative, `top_p` is not between 0 and 1, there
            are not as many seeds as rows, or the model gives NaN.
    """
    if temperature < 0:
        raise ValueError(f"temperature must be at least 0, not {temperature}")
    if top_k < 0 or not 0.0 <= top_p <= 1.0:
        raise ValueError(
            f"top_k must be at least 0 and top_p between 0 and 1, not {top_k} and {top_p}"
        )
    rows = len(first)
    if seeds is not None and len(seeds) != rows:
        raise ValueError(f"{len(seeds)} seeds for {rows} rows: give one for each row")
    generators = [torch.Generator().manual_seed(seed) for seed in seeds or range(rows)]
    tokens, finished = first, torch.zeros(rows, dtype=torch.bool, device=first.device)
    for _ in range(length):
        log_probs, state, trace = step(tokens, state)
        if temperature == 0.0:
            tokens = log_probs.argmax(dim=1)
        else:
            scores = _truncated(log_probs, temperature, top_k, top_p)
            tokens = _draw(scores.softmax(dim=1), generators).to(log_probs.device)
        scores = log_probs.gather(1, tokens[:, None]).squeeze(1)
        if end is not None:
            scores = scores.masked_fill(finished, 0.0)
            tokens = tokens.masked_fill(finished, end)
            finished = finished | (tokens == end)
        yield Sampled(tokens, scores, finished, trace)
        if end is not None and bool(finished.all()):
            return


def greedy(step: Step, first: Tensor, state: State, *, length: int, end: int) -> Tensor:
    """Return the most probable token at each step (N, at most `length`), `end` included."""
    steps = sample(step, first, state, length=length, temperature=0.0, end=end)
    tokens = [sampled.tokens for sampled in steps]
    return torch.stack(tokens, dim=1) if tokens else first.new_empty(len(first), 0)


def _truncated(log_probs: Tensor, temperature: float, top_k: int, top_p: float) -> Tensor:
    # In float64 and from the likeliest one down: no temperature then overflows.
    scores = log_probs.cpu().double()
    scores = (scores - scores.amax(dim=1, keepdim=True)) / temperature
    if top_k:
        scores = keep_top_k(scores, top_k)
    return keep_top_p(scores, top_p) if top_p < 1.0 else scores


def _draw(probabilities: Tensor, generators: list[torch.Generator]) -> Tensor:
    """Draw a token for each row of `(N, V)`: the one that is first of exponential clocks.

    With `q_v` from Exp(1), `argmax_v p_v / q_v` is `v` with probability `p_v`. That is what
    `torch.multinomial` does for a single draw, and these are its numbers; all rows together this
    takes a quarter of the time.
    """
    clocks = torch.empty_like(probabilities)
    for row, generator in zip(clocks.unbind(), generators, strict=True):
        row.exponential_(generator=generator)
    # A single NaN makes a row of the softmax NaN throughout.
    if bool(probabilities[:, 0].isnan().any()):
        raise ValueError("the model's log-probabilities are not numbers: nothing can be drawn")
    return (probabilities / clocks).argmax(dim=1)
