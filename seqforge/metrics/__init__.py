"""Metrics over a whole corpus, the same on one process and on many."""

from seqforge.metrics.caption import CaptionScores as CaptionScores
from seqforge.metrics.caption_cider import CiderD as CiderD
from seqforge.metrics.caption_cider import CiderReferences as CiderReferences
from seqforge.metrics.caption_cider import document_frequencies as document_frequencies
from seqforge.metrics.caption_tokens import caption_tokens as caption_tokens
from seqforge.metrics.forecast import QUANTILES as QUANTILES
from seqforge.metrics.forecast import ForecastScores as ForecastScores
from seqforge.metrics.forecast import Spread as Spread
from seqforge.metrics.forecast_errors import (
    overall_weighted_average as overall_weighted_average,
)
from seqforge.metrics.forecast_errors import pinball as pinball
from seqforge.metrics.forecast_errors import (
    symmetric_percentage_error as symmetric_percentage_error,
)
from seqforge.metrics.perplexity import perplexity as perplexity
from seqforge.metrics.text import References as References
from seqforge.metrics.text import TextScores as TextScores
from seqforge.metrics.tokenizers import TOKENIZERS as TOKENIZERS
from seqforge.metrics.tokenizers import Tokenizer as Tokenizer
from seqforge.metrics.tokenizers import tokenizer_for as tokenizer_for

__all__ = [
    "QUANTILES",
    "TOKENIZERS",
    "CaptionScores",
    "CiderD",
    "CiderReferences",
    "ForecastScores",
    "References",
    "Spread",
    "TextScores",
    "Tokenizer",
    "caption_tokens",
    "document_frequencies",
    "overall_weighted_average",
    "perplexity",
    "pinball",
    "symmetric_percentage_error",
    "tokenizer_for",
]
