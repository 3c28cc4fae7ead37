"""How the next token is chosen from a model's log-probabilities, and with what randomness."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqforge.decoding.truncation import keep_top_k, keep_top_p


class Choice:
    """Draws each row's tokens by a generator of its own; it remembers nothing else.

    A draw is the largest of tempered log-probabilities with noise from the standard Gumbel
    distribution (Gumbel 1954; Maddison et al. 2014). With `q_v` from Exp(1), `-log q_v` is such
    noise and `argmax_v p_v / q_v` the same token: what `torch.multinomial` does for a single draw,
    whose numbers these are.

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

    def noise(self, steps: int, size: int) -> Tensor:
        """Draw the noise of the next steps.

        Args:
            steps: `T`.
            size: `V`.

        Returns:
            `(T, N, V)` float64 on the CPU, Gumbel noise; zeros at temperature 0.
        """
        shape = (steps, len(self._generators), size)
        if self.temperature == 0.0:
            return torch.zeros(shape, dtype=torch.float64)
        clocks = torch.empty(shape, dtype=torch.float64)
        for step in clocks.unbind():
            for row, generator in zip(step.unbind(), self._generators, strict=True):
                row.exponential_(generator=generator)
        numbers = clocks.numpy()
        # NumPy, for PyTorch's logarithm of so few wakes threads that then stand in an engine's way.
        return torch.from_numpy(np.negative(np.log(numbers, out=numbers), out=numbers))

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
        scores = (scores - scores.amax(dim=1, keepdim=True)) / self.temperature
        if self._top_k:
            scores = keep_top_k(scores, self._top_k)
        if self._top_p < 1.0:
            scores = keep_top_p(scores, self._top_p)
        best, tokens = (scores + self.noise(1, scores.size(1))[0]).max(dim=1)
        require_numbers(best)
        return tokens.to(log_probs.device)


def require_numbers(scores: Tensor) -> None:
    """Refuse NaN and what is infinite.

    Args:
        scores: What was chosen, of any shape.

    Raises:
        ValueError: There is one.
    """
    if not math.isfinite(float(scores.sum())):
        raise ValueError("the model's log-probabilities are not numbers: nothing can be drawn")
