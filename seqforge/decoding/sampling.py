"""Sampling and greedy decoding, one token at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from seqforge.decoding.choice import Choice, require_numbers
from seqforge.decoding.step import DrawingStep, Step
from seqforge.state import State

BLOCK = 32
"""Steps that a model takes in one call at most, where it can."""

NOISE = 2**22
"""Numbers that are drawn for a block at most, if it has more than one step."""


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
    decoded in nor on its neighbours, nor does it disturb the global generator. A `DrawingStep`
    takes up to 32 steps in one call, unless `top_k` or `top_p` leaves tokens out.

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
        end: The token that ends a row; None: rows go on to `length`. Until all rows have ended the
            model goes on in each, unseen.

    Raises:
        ValueError: The temperature or `top_k` is negative, `top_p` is not between 0 and 1, there
            are not as many seeds as rows, or the model gives NaN or leaves no token to a row. Of a
            `DrawingStep` only the log-probabilities of what it has drawn are seen.
    """
    if not temperature >= 0:
        raise ValueError(f"temperature must be at least 0, not {temperature}")
    if top_k < 0 or not 0.0 <= top_p <= 1.0:
        raise ValueError(
            f"top_k must be at least 0 and top_p between 0 and 1, not {top_k} and {top_p}"
        )
    rows = len(first)
    if seeds is not None and len(seeds) != rows:
        raise ValueError(f"{len(seeds)} seeds for {rows} rows: give one for each row")
    choice = Choice(temperature, top_k, top_p, tuple(seeds or range(rows)))
    if choice.from_all and isinstance(step, DrawingStep):
        written = _by_itself(step, first, state, length, choice)
    else:
        written = _one_by_one(step, first, state, length, choice)
    if end is None:
        yield from written
        return
    finished = torch.zeros_like(first, dtype=torch.bool)
    for tokens, scores, _, trace in written:
        scores = scores.masked_fill(finished, 0.0)
        tokens = tokens.masked_fill(finished, end)
        finished = finished | (tokens == end)
        yield Sampled(tokens, scores, finished, trace)
        if bool(finished.all()):
            return


def greedy(step: Step, first: Tensor, state: State, *, length: int, end: int) -> Tensor:
    """Return the most probable token at each step (N, at most `length`), `end` included."""
    steps = sample(step, first, state, length=length, temperature=0.0, end=end)
    tokens = [sampled.tokens for sampled in steps]
    return torch.stack(tokens, dim=1) if tokens else first.new_empty(len(first), 0)


def _one_by_one(
    step: Step, tokens: Tensor, state: State, length: int, choice: Choice
) -> Iterator[Sampled]:
    """Yield each step of rows that never finish."""
    unfinished = torch.zeros_like(tokens, dtype=torch.bool)
    for _ in range(length):
        with torch.inference_mode():  # around each step: the caller's mode is another
            log_probs, state, trace = step(tokens, state)
            tokens = choice.tokens(log_probs)
            scores = log_probs.gather(1, tokens[:, None]).squeeze(1)
        yield Sampled(tokens, scores, unfinished, trace)


def _by_itself(
    step: DrawingStep, tokens: Tensor, state: State, length: int, choice: Choice
) -> Iterator[Sampled]:
    """Yield the same as `_one_by_one`, of blocks of steps that the model takes in one call.

    The first are short: nobody waits for a block before the first token.
    """
    unfinished = torch.zeros_like(tokens, dtype=torch.bool)
    done, block = 0, 1
    longest = max(1, min(BLOCK, NOISE // max(1, len(tokens) * step.num_tokens)))
    while done < length:
        block = min(block, longest, length - done)
        with torch.inference_mode():
            noise, temperature = choice.noise(block, step.num_tokens), choice.temperature or 1.0
            drawn, log_probs, state = step.draw(tokens, state, noise, temperature)
            require_numbers(log_probs)
        for row, scores in zip(drawn, log_probs, strict=True):
            yield Sampled(row, scores, unfinished, None)
        tokens, done, block = drawn[-1], done + block, 2 * block
