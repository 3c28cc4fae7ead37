"""Metrics over a whole corpus, the same on one process and on many."""

from seqforge.metrics.perplexity import perplexity as perplexity
from seqforge.metrics.text import References as References
from seqforge.metrics.text import TextScores as TextScores
from seqforge.metrics.tokenizers import TOKENIZERS as TOKENIZERS
from seqforge.metrics.tokenizers import Tokenizer as Tokenizer
from seqforge.metrics.tokenizers import tokenizer_for as tokenizer_for

__all__ = [
    "TOKENIZERS",
    "References",
    "TextScores",
    "Tokenizer",
    "perplexity",
    "tokenizer_for",
]
