"""Random numbers for sample paths: each window's own, wherever it stands in a batch."""

from __future__ import annotations

import torch
from torch import Tensor

_FACTOR = 6364136223846793005
"""Of Knuth's linear congruential generator; its powers spread what stands at different steps."""


class PathChance:
    """Draws for sample paths, step by step, from a generator of each window.

    A window's generator begins with its context, so that the same window has the same paths in any
    batch, on any process, and in whatever order series come.

    Args:
        context: `(B, L, K)`, 0 where nothing was observed; zeros behind it change nothing.
        paths: Sample paths of each window, `P`.
    """

    def __init__(self, context: Tensor, paths: int) -> None:
        self._shape = (2, paths, context.size(2))
        self._generators = [torch.Generator().manual_seed(seed) for seed in _seeds(context)]

    def draw(self) -> Tensor:
        """Return the next step's numbers from 0 to 1 `(2, B * P, K)`, float32, on the CPU."""
        drawn = [torch.rand(self._shape, generator=each) for each in self._generators]
        return torch.cat(drawn, dim=1)


def _seeds(context: Tensor) -> list[int]:
    """Return a number of each window that depends on each bit of it in float32."""
    # 0 is added since there is a -0, whose bits are others.
    bits = (context.detach().float().cpu() + 0.0).flatten(1).contiguous().view(torch.int32).long()
    powers = torch.full((bits.size(1),), _FACTOR).cumprod(dim=0)  # modulo 2^64, as wanted
    return [int(seed) for seed in (bits * powers).sum(dim=1)]
