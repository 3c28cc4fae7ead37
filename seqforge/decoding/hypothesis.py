"""What a search gives back."""

from __future__ import annotations

from typing import NamedTuple

from seqforge.state import State


class Hypothesis(NamedTuple):
    """One sequence that a search found.

    Attributes:
        tokens: Its tokens, without the end mark.
        log_prob: Its log-probability under the model: the sum over its tokens, over the end mark
            too if it is finished.
        score: What it was ranked by: `log_prob` divided by the length penalty.
        finished: Whether it ended with the end mark; False: it was cut at the maximum length.
        trace: The model's trace of each of its tokens, the end mark's too if it is finished: leaves
            `(L, …)` on the CPU; None if the model gives none.
    """

    tokens: tuple[int, ...]
    log_prob: float
    score: float
    finished: bool
    trace: State = None
