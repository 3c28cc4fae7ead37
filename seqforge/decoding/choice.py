"""How the next token is chosen from a model's log-probabilities, and with what randomness."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqforge.decoding.truncation import keep_top_k, keep_top_p

AHEAD = 2**14
"""Numbers that a row draws at once at most, beyond those of a step."""

STEPS_AHEAD = 32
"""Steps that it draws at once at most."""


class Choice:
    """Draws each row's tokens by a generator of its own.

    A draw is the token whose clock rings first: with `q_v` from Exp(1), `argmax_v p_v / q_v` is
    `v` with probability `p_v` (as in `torch.multinomial`). In logarithms it is the largest of
    tempered log-probabilities with noise `-log q_v`, which has the standard Gumbel distribution
    (Gumbel 1954; Maddison et al. 2014).

    Clocks are drawn for up to 32 steps at once, which takes hardly longer than for one; how many
    follows from the number of tokens alone, and what comes out does not depend on how it is asked.

    Args:
        temperature: Divides log-probabilities; 0 takes the most probable token.
        top_k: Draw from this many likeliest tokens only; 0: from all.
        top_p: Draw from the nucleus of this mass only; 1: from all.
        seeds: One for each row.
    """

    def __init__(self, temperature: float, top_k: int, top_p: float, seeds: Sequence[int]) -> None:
        self.temperature = temperature
        self.from_all = temperature == 0.0 or (top_k == 0 and top_p == 1.0)
        self._top_k, self._top_p = top_k, top_p
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        # Clocks that are drawn ahead, and how many steps of them are given out.
        self._clocks, self._used = torch.empty(0), 0

    def noise(self, steps: int, size: int) -> Tensor:
        """Draw the noise of the next steps.

        Args:
            steps: `T`.
            size: `V`, the same at every call.

        Returns:
            `(T, N, V)` float64 on the CPU, Gumbel noise; zeros at temperature 0.
        """
        if self.temperature == 0.0:
            return torch.zeros(steps, len(self._generators), size, dtype=torch.float64)
        numbers = self._next_clocks(steps, size).numpy()
        # NumPy, for PyTorch's logarithm of so few wakes threads that then stand in an engine's way.
        return torch.from_numpy(np.negative(np.log(numbers), order="C"))

    def tokens(self, log_probs: Tensor) -> Tensor:
        """Choose a token for each row.

        Args:
            log_probs: `(N, V)`, on any device.

        Returns:
            `(N,)` int64, where the log-probabilities are.

        Raises:
            ValueError: The log-probabilities are not numbers, or no token has any probability.
        """
        if self.temperature == 0.0:
            best, tokens = log_probs.max(dim=1)
            require_numbers(best)
            return tokens
        # In float64 and from the likeliest one down: no temperature then overflows.
        scores = log_probs.cpu().double()
        scores = (scores - scores.amax(dim=1, keepdim=True)).div_(self.temperature)
        if self._top_k:
            scores = keep_top_k(scores, self._top_k)
        if self._top_p < 1.0:
            scores = keep_top_p(scores, self._top_p)
        (clocks,) = self._next_clocks(1, scores.size(1))
        best, tokens = scores.exp_().div_(clocks).max(dim=1)  # the logarithm would take longer
        require_numbers(best)
        return tokens.to(log_probs.device)

    def _next_clocks(self, steps: int, size: int) -> Tensor:
        """Return clocks of the next steps (T, N, V)."""
        parts = []
        while steps:
            if self._used == len(self._clocks):
                self._clocks, self._used = self._drawn(size), 0
            part = self._clocks[self._used : self._used + steps]
            self._used += len(part)
            steps -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _drawn(self, size: int) -> Tensor:
        """Draw clocks of some steps (T, N, V), from Exp(1), each row by its own generator."""
        ahead = max(1, min(STEPS_AHEAD, AHEAD // max(1, size)))
        rows = torch.empty(len(self._generators), ahead, size, dtype=torch.float64)
        for row, generator in zip(rows.unbind(), self._generators, strict=True):
            row.exponential_(generator=generator)
        return rows.transpose(0, 1)


def require_numbers(scores: Tensor) -> None:
    """Refuse NaN and what is infinite.

    Args:
        scores: What was chosen, of any shape.

    Raises:
        ValueError: There is one.
    """
    if not math.isfinite(float(scores.sum())):
        raise ValueError("the model's log-probabilities are not numbers: nothing can be drawn")
