"""Metrics over a whole corpus, the same on one process and on many."""

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
    "ForecastScores",
    "References",
    "Spread",
    "TextScores",
    "Tokenizer",
    "overall_weighted_average",
    "perplexity",
    "pinball",
    "symmetric_percentage_error",
    "tokenizer_for",
]
