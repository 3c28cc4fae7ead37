"""Random sources and queries in float64, for the tests of attention."""

import torch
from torch import Tensor

from seqforge.attention import Attention, make_attention

KINDS = ("additive", "dot", "general")


def attention(kind: str, query_size: int = 4, value_size: int = 4) -> Attention:
    """Return an attention with random weights, always the same."""
    torch.manual_seed(1)
    return make_attention(kind, query_size, value_size).double()


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Return normal numbers, always the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)
