"""Pairs on their way from text to numbers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from seqforge.text import PackedNumbers, PackedTexts, Preparation, SentenceVocabulary
from seqforge_tasks.translation.parallel.pair import Pair
from seqforge_tasks.translation.parallel.samples import PairSamples
from seqforge_tasks.translation.parallel.sides import Side

BLOCK: Final = 2**16
"""Texts that are encoded at a time: lists of numbers take far more memory than arrays."""


@dataclass(frozen=True)
class PreparedPairs:
    """Pairs and what is encoded of them.

    Attributes:
        pairs: As the data give them.
        source: Their sources, prepared.
        target: Their targets, prepared.
    """

    pairs: Sequence[Pair]
    source: Sequence[str]
    target: Sequence[str]

    def checksum(self) -> int:
        """Return a CRC-32 of all prepared texts, in order."""
        found = 0
        for both in zip(self.source, self.target, strict=True):
            found = zlib.crc32("\n".join(both).encode("utf-8", "replace"), found)
        return found


def prepare_pairs(
    pairs: Sequence[Pair], preparations: tuple[Preparation, Preparation]
) -> PreparedPairs:
    """Return pairs with their sides prepared, that of the source first."""
    source, target = preparations
    return PreparedPairs(
        pairs,
        [source.apply(pair.source) for pair in pairs],
        [target.apply(pair.target) for pair in pairs],
    )


def encode_pairs(prepared: PreparedPairs, sides: tuple[Side, Side]) -> PairSamples:
    """Return pairs as numbers of their sides' vocabularies."""
    source, target = (side.vocabulary for side in sides)
    return PairSamples(
        (_packed(prepared.source, source), _packed(prepared.target, target)),
        (
            PackedTexts(pair.source for pair in prepared.pairs),
            PackedTexts(pair.target for pair in prepared.pairs),
        ),
    )


def _packed(texts: Sequence[str], vocabulary: SentenceVocabulary) -> PackedNumbers:
    return PackedNumbers(_encoded(texts, vocabulary), below=len(vocabulary))


def _encoded(texts: Sequence[str], vocabulary: SentenceVocabulary) -> Iterator[list[int]]:
    for first in range(0, len(texts), BLOCK):
        yield from vocabulary.encode_all(texts[first : first + BLOCK])
