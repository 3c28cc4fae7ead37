"""What all points of `cost_growth.py` do: a step of training."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from seqforge.task import Progress, Term

START = Progress(0, 0, 0.0)

Work = Callable[[], None]
"""What is timed; it can be done again and again."""


def optimizer_of(module: nn.Module) -> torch.optim.Optimizer:
    """Return the optimiser of a module: AdamW in one call for all parameters."""
    return torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)


def optimised(optimizer: torch.optim.Optimizer, term: Term) -> None:
    """Go a step down the mean of a loss."""
    optimizer.zero_grad()
    (term.total / term.count).backward()
    optimizer.step()
