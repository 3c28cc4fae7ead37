"""CIDEr-D: how far a caption says what the references of its picture agree on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Words = Sequence[str]
"""A caption's words, as `caption_tokens` gives them."""

NGram = tuple[str, ...]
"""One to four words in a row."""

ORDERS: Final = 4
"""The most words in a row that are compared."""

SIGMA: Final = 6.0
"""The width of the penalty on captions of another length, in words."""

# Ten times the mean cosine is the measure of the paper; tables print a hundred times that.
_SCALE: Final = 10.0 * 100.0


class CiderReferences(NamedTuple):
    """The references of one picture, ready to be compared with.

    Attributes:
        weights: For each n-gram, its weights in those references that have it, by their place.
        norms: For each reference, the lengths of its vectors of one to four words.
        pairs: For each reference, its number of pairs of words.
    """

    weights: Mapping[NGram, Sequence[tuple[int, float]]]
    norms: Sequence[Sequence[float]]
    pairs: Sequence[int]


class CiderD:
    """CIDEr-D (Vedantam et al., CVPR 2015, arXiv:1411.5726), as the evaluation of COCO has it.

    A caption is a vector for each n of 1 to 4: n-grams weighted by how often they come and by how
    few pictures have them in a reference. The score of a pair is the mean over n of their cosine,
    in which no n-gram counts more often than the reference has it, times
    `exp(-(difference in length)² / (2 · 6²))`. That of a caption is the mean over the references.

    The frequencies are counted once, over all pictures whose captions are to be scored or over
    those of training, where the score is a reward. References can be made ready once, too.

    Args:
        document_frequencies: For each n-gram, in the references of how many pictures it is.
        count: The number of those pictures. With one, no n-gram tells anything: all scores are 0.

    Raises:
        ValueError: There is no picture, or an n-gram is in more pictures than there are.
    """

    def __init__(self, document_frequencies: Mapping[NGram, int], count: int) -> None:
        if count < 1 or max(document_frequencies.values(), default=0) > count:
            raise ValueError(f"document frequencies do not belong to {count} pictures")
        self.count = count
        self._unseen = math.log(count)
        self._rarity = {
            ngram: self._unseen - math.log(max(1, frequency))
            for ngram, frequency in document_frequencies.items()
        }

    @classmethod
    def of(cls, references: Sequence[Sequence[Words]]) -> CiderD:
        """Return the scorer with the frequencies of some pictures.

        Args:
            references: For each picture, all its references.

        Raises:
            ValueError: There is no picture.
        """
        return cls(document_frequencies(references), len(references))

    def prepare(self, references: Sequence[Words]) -> CiderReferences:
        """Make the references of one picture ready to be compared with, as often as wanted.

        Args:
            references: All of them, at least one.

        Raises:
            ValueError: There is none.
        """
        if not references:
            raise ValueError("a picture has no reference")
        weights: dict[NGram, list[tuple[int, float]]] = {}
        norms = []
        for place, words in enumerate(references):
            vector = self._vector(words)
            norms.append(_norms(vector))
            for ngram, weight in vector.items():
                weights.setdefault(ngram, []).append((place, weight))
        return CiderReferences(weights, norms, [_pairs(words) for words in references])

    def scores(
        self, hypotheses: Sequence[Words], references: Sequence[CiderReferences]
    ) -> NDArray[np.float64]:
        """Score captions.

        Args:
            hypotheses: The words of each caption; there may be none.
            references: For each caption, what `prepare` made of its picture's references.

        Returns:
            For each caption its score `(N,)`, times 100 as in tables: from 0 to 1000. The mean is
            the score of a corpus.

        Raises:
            ValueError: The lengths differ.
        """
        each = (self._score(*pair) for pair in zip(hypotheses, references, strict=True))
        return np.fromiter(each, np.float64, len(hypotheses))

    def _score(self, words: Words, known: CiderReferences) -> float:
        vector = self._vector(words)
        products = [[0.0] * ORDERS for _ in known.norms]
        for ngram, weight in vector.items():
            for place, other in known.weights.get(ngram, ()):
                products[place][len(ngram) - 1] += min(weight, other) * other
        own, pairs = _norms(vector), _pairs(words)
        total = 0.0
        for product, norms, length in zip(products, known.norms, known.pairs, strict=True):
            # A vector without length has no product either.
            cosines = (x / (a * b) for x, a, b in zip(product, own, norms, strict=True) if x)
            total += sum(cosines) * math.exp(-((pairs - length) ** 2) / (2 * SIGMA**2))
        return _SCALE * total / (ORDERS * len(known.norms))

    def _vector(self, words: Words) -> dict[NGram, float]:
        rarity, unseen = self._rarity, self._unseen
        counts = Counter(_ngrams(words))
        return {ngram: count * rarity.get(ngram, unseen) for ngram, count in counts.items()}


def document_frequencies(references: Iterable[Sequence[Words]]) -> Counter[NGram]:
    """Return for each n-gram of one to four words in the references of how many pictures it is.

    Args:
        references: For each picture, all its references.
    """
    frequencies: Counter[NGram] = Counter()
    for captions in references:
        frequencies.update(set(chain.from_iterable(map(_ngrams, captions))))
    return frequencies


def _ngrams(words: Words) -> Iterable[NGram]:
    return chain.from_iterable(
        zip(*(words[begin:] for begin in range(order)), strict=False)
        for order in range(1, ORDERS + 1)
    )


def _norms(vector: Mapping[NGram, float]) -> list[float]:
    squares = [0.0] * ORDERS
    for ngram, weight in vector.items():
        squares[len(ngram) - 1] += weight * weight
    return [math.sqrt(square) for square in squares]


def _pairs(words: Words) -> int:
    # The evaluation measures lengths by pairs of words: no word is as long as one.
    return max(0, len(words) - 1)
