"""Encoded pairs by number, and the batches that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqforge.data import Draw
from seqforge.text import PackedNumbers, PackedTexts, SubwordVocabulary
from seqforge_tasks.translation.parallel.batch import TranslationBatch

MARKS = 1
"""Marks that a sentence is padded with on either side of the pair: an end, or a begin."""


class PairSample(NamedTuple):
    """A pair as numbers, without marks, and as text.

    Attributes:
        source: Numbers of the source (S,), int64.
        target: Numbers of the target (T,), int64.
        source_text: As the data give it.
        target_text: As the data give it.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    source_text: str
    target_text: str


class PairSamples:
    """Pairs in numbers, as compact arrays, with their texts.

    Args:
        numbers: Source and target sequences.
        texts: Source and target texts, as many.
        kept: Which of them are samples, in this order; None: all.
    """

    def __init__(
        self,
        numbers: tuple[PackedNumbers, PackedNumbers],
        texts: tuple[PackedTexts, PackedTexts],
        kept: NDArray[np.int64] | None = None,
    ) -> None:
        self._numbers = numbers
        self._texts = texts
        self._kept = np.arange(len(numbers[0])) if kept is None else kept

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of both sides with their marks (N, 2), int64."""
        source, target = (side.lengths[self._kept] for side in self._numbers)
        return np.stack([source, target], axis=1) + MARKS

    def chosen(self, kept: NDArray[np.bool_]) -> PairSamples:
        """Return those of the pairs (N,) that are kept, without a copy of them."""
        return PairSamples(self._numbers, self._texts, self._kept[kept])

    def __getitem__(self, index: int) -> PairSample:
        place = int(self._kept[index])
        source, target = (side[place] for side in self._numbers)
        source_text, target_text = (side[place] for side in self._texts)
        return PairSample(source, target, source_text, target_text)


class ResegmentedPairs:
    """Pairs that are cut into other subwords in each epoch, as a regularisation.

    Subword regularisation (Kudo 2018) for unigram models, BPE-dropout (Provilkov et al. 2020) for
    BPE models; see `SubwordVocabulary.sample`.

    Args:
        samples: The pairs.
        vocabularies: Of source and target.
        alpha: Strength of the sampling.
    """

    def __init__(
        self,
        samples: PairSamples,
        vocabularies: tuple[SubwordVocabulary, SubwordVocabulary],
        alpha: float,
    ) -> None:
        self._samples = samples
        self._vocabularies = vocabularies
        self._alpha = alpha

    def __getitem__(self, index: int) -> PairSample:
        return self._samples[index]

    def draw(self, draw: Draw) -> PairSample:
        """Return a pair in the segmentation of this epoch."""
        sample = self._samples[draw.number]
        seeds = draw.generator().integers(2**32, size=2)
        source, target = (
            # The decoded numbers are the prepared text, which need not be prepared once more.
            vocabulary.sample(vocabulary.decode(numbers), int(seed), self._alpha)
            for vocabulary, numbers, seed in zip(
                self._vocabularies, (sample.source, sample.target), seeds, strict=True
            )
        )
        return sample._replace(source=source, target=target)


class Collate:
    """Makes batches of pairs.

    Args:
        begin: Number of the target's begin mark.
        source_end: Number of the source's end mark.
        target_end: Number of the target's.
    """

    def __init__(self, begin: int, source_end: int, target_end: int) -> None:
        self.begin = begin
        self.source_end = source_end
        self.target_end = target_end

    def __call__(self, numbers: Sequence[int], samples: Sequence[PairSample]) -> TranslationBatch:
        """Return a batch of samples under their global numbers."""
        source, source_lengths = _padded([each.source for each in samples])
        outputs, lengths = _padded([each.target for each in samples])
        inputs = torch.full_like(outputs, self.begin)
        inputs[:, 1:] = outputs[:, :-1]
        rows = torch.arange(len(samples))
        source[rows, source_lengths - 1] = self.source_end
        outputs[rows, lengths - 1] = self.target_end
        return TranslationBatch(
            ids=torch.tensor(numbers),
            source=source,
            source_lengths=source_lengths,
            inputs=inputs,
            targets=outputs,
            lengths=lengths,
            source_texts=tuple(each.source_text for each in samples),
            target_texts=tuple(each.target_text for each in samples),
        )


def _padded(rows: Sequence[NDArray[np.int64]]) -> tuple[Tensor, Tensor]:
    """Return rows padded with 0 on the right (B, L), and their lengths (B,), a mark included."""
    lengths = [len(row) + MARKS for row in rows]
    padded = np.zeros((len(rows), max(lengths)), dtype=np.int64)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return torch.from_numpy(padded), torch.tensor(lengths)
