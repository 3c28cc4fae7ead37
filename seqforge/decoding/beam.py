"""Beam search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from seqforge.decoding.constraints import (
    ban_repeats_,
    copy_into,
    maximum_lengths,
)
from seqforge.decoding.hypothesis import Hypothesis
from seqforge.decoding.paths import Ends, Paths
from seqforge.decoding.pool import Pool, empty_pool
from seqforge.decoding.scoring import length_penalty as penalty_of
from seqforge.decoding.slots import fill_slots
from seqforge.decoding.step import Step
from seqforge.state import State, concatenate, map_state, select, select_fixed


class _Done(NamedTuple):
    """What is left of items that the search no longer works on."""

    numbers: Tensor  # (A,) their places in the batch
    maxima: Tensor  # (A,) tokens at most
    cut: Tensor  # (A, W) log-probability of slots that reached the maximum and cannot end there
    pool: Pool


class _Items(NamedTuple):
    """What the search knows of the items that it still works on; a state with a row for each."""

    numbers: Tensor  # (A,) as in _Done, like all of the same name
    maxima: Tensor  # (A,)
    minima: Tensor  # (A,) tokens before the end mark
    longest: Tensor  # (A, 1) the penalty of the longest possible hypothesis
    slots: Tensor | None  # (A, w) their places in the beam, rising; None: it is whole
    totals: Tensor  # (A, w) log-probability of the tokens of each; -inf: a dead slot
    cut: Tensor  # (A, W)
    pool: Pool

    def done(self) -> _Done:
        """Leave out what only further steps would need."""
        return _Done(self.numbers, self.maxima, self.cut, self.pool)


@torch.inference_mode()
def beam_search(
    step: Step,
    first: Tensor,
    state: State,
    *,
    end: int,
    max_length: int | Tensor,
    beam_size: int = 5,
    min_length: int = 0,
    length_penalty: float = 0.0,
    no_repeat_ngram: int = 0,
    n_best: int = 1,
    banned: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """Return the best hypotheses that a beam finds for each item.

    The slots of a beam are filled in order, each with the best that is left among the
    continuations of the slots up to itself, as in the monotonic beam search of Lemons et al. 2022
    ("Beam Search: Faster and Monotonic", ICAPS). In all that can still win a beam is thereby the
    beginning of every wider one, so that a wider beam never gives a worse first hypothesis;
    ordinary beam search has no such property (Cohen and Beck 2019; Meister et al. 2020). The end
    mark takes no slot: at every step the end of every slot competes for the item's `n_best`
    finished hypotheses, which never change. A slot that can reach no score that would still enter,
    whatever followed, is followed no further, and an item without other slots is done.

    Everything is decided within an item, and ties by the lower slot and the lower token: a result
    depends on the batch and its order only as far as the model's rounding does. Items that are
    done leave the batch, once they are an eighth of it; of the others so many slots stay as one of
    them needs.

    Args:
        step: The model. The rows of an item are neighbours, as many of each: B rows at the first
            step, up to `B * beam_size` later, while what is `Fixed` in the state has a row for each
            item.
        first: The token that each item begins with (B,).
        state: The model's state before `first`, with B rows.
        end: The end mark.
        max_length: Tokens at most, the end mark not counted: one number, or one for each item (B,).
        beam_size: Slots of a beam, W.
        min_length: Tokens at least, the end mark not counted; at an item's maximum it may end.
        length_penalty: The exponent alpha of `length_penalty`, which ranks hypotheses; 0: ranked by
            their log-probabilities.
        no_repeat_ngram: Forbid n-grams of this length to come twice in a hypothesis; 0: allow it.
        n_best: Hypotheses to give back for each item.
        banned: Tokens never given out, such as padding.

    Returns:
        For each item its hypotheses, best first: the finished ones, then, in places that are left,
        those that could not end at the maximum length. There are fewer than `n_best` where no more
        were found, even none where the model and the constraints leave nothing.

    Raises:
        ValueError: An option is out of its range, or `end` is banned.
    """
    _at_least(1, {"beam_size": beam_size, "n_best": n_best})
    _at_least(0, {"min_length": min_length, "no_repeat_ngram": no_repeat_ngram})
    if end in banned:
        raise ValueError(f"the end mark {end} is banned: nothing could end")
    maxima = maximum_lengths(max_length, first)
    if not len(first):
        return []
    limits = _Limits(maxima, min_length)
    lengths = torch.arange(limits.longest + 2, device=first.device)
    penalties = penalty_of(lengths, length_penalty)
    active = _opened(first, maxima, min_length, penalties, beam_size, n_best)
    closed = torch.tensor([end, *banned], device=first.device)
    tokens, history = first, first.new_empty(len(first), 0)
    paths, done, scores = Paths(), [], None
    for given in range(limits.longest + 1):
        log_probs, state, trace = step(tokens, state)
        active = _ended(active, log_probs[:, end].float(), penalties, given, limits)
        if no_repeat_ngram:
            scores = copy_into(scores, log_probs)
            log_probs = ban_repeats_(scores, history, no_repeat_ngram)
        filled = fill_slots(active.totals, log_probs.float(), beam_size, closed, active.slots)
        followed = _can_improve(active, filled.totals, given)
        over, count, width = _left(followed)
        before = active.totals.shape[1]
        places = None
        if width < beam_size:
            filled, places = filled.narrow(followed, max(width, 1))
        active = active._replace(slots=places, totals=filled.totals)
        paths.add(active.numbers, filled.parents, filled.tokens, trace)
        if count == len(over):
            done.append(active.done())
            break
        first_rows = torch.arange(0, len(log_probs), before, device=first.device)
        tokens, rows = filled.tokens, first_rows[:, None] + filled.parents  # (A, w)
        if 8 * count >= len(over):
            kept = (~over).nonzero().squeeze(1)
            done.append(select(active.done(), over))
            active, rows, tokens = select(active, kept), rows[kept], tokens[kept]
            state = select_fixed(state, kept)
        tokens, rows = tokens.flatten(), rows.flatten()
        state = select(state, rows)
        if no_repeat_ngram:
            history = torch.cat([history[rows], tokens[:, None]], dim=1)
    return _hypotheses(concatenate(done), penalties, paths)


def _at_least(least: int, options: Mapping[str, int]) -> None:
    for name, value in options.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}, not {value}")


class _Limits:
    """Lengths at which something happens, known without asking the device again.

    Args:
        maxima: Tokens at most, of each item (B,).
        min_length: Tokens before the end mark, of all.
    """

    def __init__(self, maxima: Tensor, min_length: int) -> None:
        self._maxima: set[int] = {*maxima.tolist()}
        self.longest = max(self._maxima)
        # From here to there every item may end.
        self._from, self._to = min(min_length, self.longest), min(self._maxima)

    def all_may_end(self, given: int) -> bool:
        """Say whether the end mark may follow so many tokens in every item."""
        return self._from <= given <= self._to

    def some_end(self, given: int) -> bool:
        """Say whether so many tokens are the maximum of an item."""
        return given in self._maxima


def _opened(
    first: Tensor, maxima: Tensor, min_length: int, penalties: Tensor, width: int, n_best: int
) -> _Items:
    """Return the items before the first step: one slot each, so that no two can be the same."""
    items, device = len(first), first.device
    return _Items(
        numbers=torch.arange(items, device=device),
        maxima=maxima,
        minima=maxima.clamp(max=min_length),
        longest=penalties[maxima + 1, None],
        slots=None,
        totals=torch.zeros(items, 1, device=device),
        cut=torch.full((items, width), -torch.inf, device=device),
        pool=empty_pool(items, n_best, device),
    )


def _ended(
    active: _Items, end_log_probs: Tensor, penalties: Tensor, given: int, limits: _Limits
) -> _Items:
    """Offer the end of every slot after `given` tokens to the pools; note what is cut there."""
    totals = active.totals
    log_probs = totals + end_log_probs.view_as(totals)
    if not limits.all_may_end(given):
        allowed = (active.minima <= given) & (given <= active.maxima)
        log_probs = log_probs.masked_fill(~allowed[:, None], -torch.inf)
    pool = active.pool.offer(log_probs / penalties[given + 1], log_probs, given)
    if not limits.some_end(given):
        return active._replace(pool=pool)
    cut = (active.maxima == given)[:, None] & (log_probs == -torch.inf)
    missing = active.cut.shape[1] - totals.shape[1]
    cut, totals = F.pad(cut, (0, missing)), F.pad(totals, (0, missing), value=-torch.inf)
    return active._replace(pool=pool, cut=torch.where(cut, totals, active.cut))


def _can_improve(active: _Items, totals: Tensor, given: int) -> Tensor:
    """Say of each slot after a step (A, W) whether a continuation of it can enter the pool.

    Log-probabilities only fall, and are at most divided by the penalty of the longest possible
    hypothesis; as the penalty never falls with the length, rounding keeps this bound true. Where
    the pool has a free place, its last score is `-inf`, and only dead slots do not reach that.

    To follow the others no further changes nothing: what they offer is below the pool as they are,
    and so below all that matters, of which each slot takes the best.
    """
    reached = totals / active.longest > active.pool.scores[:, -1:]
    return reached & (given < active.maxima)[:, None]


def _left(followed: Tensor) -> tuple[Tensor, int, int]:
    """Return which items (A,) are over, how many, and the slots (A, W) that one needs at most."""
    counts = followed.sum(dim=1)
    over = counts == 0
    # The one wait for the device in a step.
    count, width = torch.stack([over.sum(), counts.amax()]).tolist()
    return over, count, width


def _hypotheses(done: _Done, penalties: Tensor, paths: Paths) -> list[list[Hypothesis]]:
    """Make hypotheses of all items in the order of the batch."""
    done = map_state(Tensor.cpu, select(done, done.numbers.argsort()))
    pool, count = done.pool, done.pool.scores.shape[1]
    cut, cut_slots = done.cut.sort(dim=1, descending=True, stable=True)
    maxima = done.maxima[:, None].expand_as(cut)
    log_probs = torch.cat([pool.log_probs, cut], dim=1)
    there = (log_probs > -torch.inf).numpy()
    there &= np.cumsum(there, axis=1) <= count  # the finished ones first
    scores = torch.cat([pool.scores, cut / penalties.cpu()[maxima]], dim=1)
    values = zip(log_probs.numpy()[there].tolist(), scores.numpy()[there].tolist(), strict=True)
    ends = Ends(
        items=np.nonzero(there)[0],
        lengths=torch.cat([pool.lengths, maxima], dim=1).numpy()[there],
        slots=torch.cat([pool.slots, cut_slots], dim=1).numpy()[there],
        finished=np.nonzero(there)[1] < count,
    )
    found: list[list[Hypothesis]] = [[] for _ in range(len(there))]
    for item, ended, (log_prob, score), (tokens, trace) in zip(
        ends.items.tolist(), ends.finished.tolist(), values, paths.follow(ends), strict=True
    ):
        found[item].append(Hypothesis(tokens, log_prob, score, ended, trace))
    return found
