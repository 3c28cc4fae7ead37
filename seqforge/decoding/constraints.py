"""What a hypothesis may hold: functions on log-probabilities that can be put after each other.

Each takes log-probabilities `(N, V)` and puts `-inf` in the place of what is forbidden. What is
left is not normalised again: a constraint chooses among the model's hypotheses and does not change
what the model says of them. They work on a copy that a search makes once for all of them.
"""

from __future__ import annotations

import torch
from torch import Tensor


def copy_into(room: Tensor | None, log_probs: Tensor) -> Tensor:
    """Copy a step's log-probabilities, to be constrained, where those of the last step were.

    New memory for each step's copy would cost as much as the rest of a search's step.

    Args:
        room: What this gave at the step before, which is overwritten; None: nothing yet.
        log_probs: Log-probabilities (N, V).

    Returns:
        The copy (N, V), float32.
    """
    if room is None or len(room) < len(log_probs):
        room = torch.empty(log_probs.shape, device=log_probs.device)
    return room[: len(log_probs)].copy_(log_probs)


def ban_tokens_(log_probs: Tensor, tokens: Tensor) -> Tensor:
    """Forbid some tokens in every row, such as padding, in place.

    Args:
        log_probs: Log-probabilities (N, V).
        tokens: The numbers of the tokens (K,), int64.

    Returns:
        The same log-probabilities (N, V).
    """
    return log_probs.index_fill_(1, tokens, -torch.inf)


def ban_repeats_(log_probs: Tensor, history: Tensor, n: int) -> Tensor:
    """Forbid every token that would complete an n-gram which its row already holds, in place.

    Paulus et al. 2018, section 2.5, there with n = 3.

    Args:
        log_probs: Log-probabilities of the next token (N, V).
        history: The tokens given out so far (N, T), int64.
        n: Length of the n-grams, at least 1; 1 forbids every token to come twice.

    Returns:
        The same log-probabilities (N, V).

    Raises:
        ValueError: `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"no_repeat_ngram must be at least 1 to forbid anything, not {n}")
    given = history.shape[1]
    if given < n:
        return log_probs
    ngrams = history.unfold(1, n, 1)  # (N, T - n + 1, n)
    last = history[:, None, given - n + 1 :]  # (N, 1, n - 1)
    repeated = (ngrams[..., :-1] == last).all(dim=2)  # all true where n is 1
    most = torch.where(repeated, -torch.inf, torch.inf).to(log_probs.dtype)
    return log_probs.scatter_reduce_(1, ngrams[..., -1], most, "amin")


def maximum_lengths(max_length: int | Tensor, first: Tensor) -> Tensor:
    """Give each item its maximum number of tokens.

    Args:
        max_length: One for all, or one for each item (B,).
        first: The tokens that the search begins with (B,).

    Returns:
        The maximum of each item (B,), int64, on the device of `first`.

    Raises:
        ValueError: A maximum is negative, or there are not as many as items.
    """
    maxima = torch.as_tensor(max_length, dtype=torch.int64, device=first.device)
    if maxima.dim() and maxima.shape != first.shape:
        raise ValueError(
            f"max_length has shape {tuple(maxima.shape)} for {len(first)} items: "
            f"give one number, or one for each item"
        )
    maxima = maxima.expand(first.shape)
    if bool((maxima < 0).any()):
        raise ValueError(f"max_length must be at least 0, not {int(maxima.min())}")
    return maxima
