"""Batches of sentence pairs."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seqforge.data import Batch


@dataclass(kw_only=True)
class TranslationBatch(Batch):
    """Sentence pairs, padded on the right with 0 to the longest of the batch.

    Padding is the number 0 only by convention: masks come from the lengths.

    Attributes:
        source: Source sentences, each with its end mark (B, S), int64.
        source_lengths: Their lengths (B,), int64, end marks included.
        inputs: Begin mark and target sentence (B, T), int64: what the decoder reads.
        targets: Target sentence and end mark (B, T), int64: what it is to write.
        lengths: Target lengths (B,), int64: the sentence and one mark.
        source_texts: The sources as the data give them, cased and not tokenised.
        target_texts: The targets likewise: the references.
    """

    source: Tensor
    source_lengths: Tensor
    inputs: Tensor
    targets: Tensor
    lengths: Tensor
    source_texts: tuple[str, ...]
    target_texts: tuple[str, ...]

    def size(self) -> tuple[int, str]:
        """Return the number of target tokens, padding left out."""
        return int(self.lengths.sum()), "tokens"
