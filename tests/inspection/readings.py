"""Readings of made-up texts, small enough to be checked by hand."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from seqforge.encoders import Encoder
from seqforge.task import Reading

TEXT = (
    'He said "come in (now), friend" and left.\n'
    "    Then there was nothing; 42 [of them] stayed.\n"
    "\n"
    'She: "No."\n'
    "        Two more went 1990 (or 1991) away.\n"
) * 4


def read(encoder: Encoder, text: str = TEXT, seed: int = 0, head: Tensor | None = None) -> Reading:
    """Read characters as random vectors, and predict the next one of them by a linear head."""
    chance = torch.Generator().manual_seed(seed)
    dtype = next(encoder.parameters()).dtype
    signs = sorted(set(text))
    numbers = torch.tensor([signs.index(sign) for sign in text])
    table = torch.randn(len(signs), encoder.input_size, generator=chance, dtype=dtype)
    drawn = torch.randn(len(signs), encoder.output_size, generator=chance, dtype=dtype)
    weights = drawn if head is None else head

    def losses(outputs: Tensor) -> Tensor:
        return F.cross_entropy(outputs[0] @ weights.T, numbers[1:], reduction="none")

    return Reading(list(text[:-1]), encoder, table[numbers[None, :-1]], losses)
