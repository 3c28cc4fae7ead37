"""Layers that encoders and tasks share: heads, dropout, and what padding needs."""

from seqforge.layers.adaptive_head import AdaptiveHead as AdaptiveHead
from seqforge.layers.adaptive_head import TokenHead as TokenHead
from seqforge.layers.cross_entropy import CrossEntropy as CrossEntropy
from seqforge.layers.cross_entropy import head_cross_entropy as head_cross_entropy
from seqforge.layers.dropout import Dropout as Dropout
from seqforge.layers.dropout import plain_dropout as plain_dropout
from seqforge.layers.head import Head as Head
from seqforge.layers.masking import final_output as final_output
from seqforge.layers.masking import last_valid as last_valid
from seqforge.layers.masking import padding_mask as padding_mask
from seqforge.layers.masking import reverse_within as reverse_within

__all__ = [
    "AdaptiveHead",
    "CrossEntropy",
    "Dropout",
    "Head",
    "TokenHead",
    "final_output",
    "head_cross_entropy",
    "last_valid",
    "padding_mask",
    "plain_dropout",
    "reverse_within",
]
