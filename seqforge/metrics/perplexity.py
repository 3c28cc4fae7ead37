"""The perplexity of a loss."""

from __future__ import annotations

import math


def perplexity(nats: float) -> float:
    """Return the perplexity of a mean negative log-probability: its exponential, inf if too big.

    It is the number of equally likely choices among which the choice would be as hard.

    Args:
        nats: The mean over all tokens, in nats.
    """
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf
