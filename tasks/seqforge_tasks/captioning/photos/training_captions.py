"""The captions of photos, on their way to numbers."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge.text import PackedNumbers, SentenceVocabulary
from seqforge_tasks.captioning.photos.caption_text import prepared
from seqforge_tasks.captioning.photos.photos import Photos
from seqforge_tasks.captioning.photos.samples import EvaluatedPhotos, TrainingCaptions


@dataclass(frozen=True)
class PreparedCaptions:
    """All captions of photos, prepared, those of a photo one after the other.

    Attributes:
        texts: The captions.
        photos: The number of each one's photo (N,), int64.
    """

    texts: Sequence[str]
    photos: NDArray[np.int64]

    def checksum(self, photos: Photos) -> int:
        """Return a CRC-32 of the captions and of the content of their photos, in order."""
        found = zlib.crc32("\n".join(photos.keys).encode())
        for first in range(0, len(self.texts), 2**16):
            block = "\n".join(self.texts[first : first + 2**16])
            found = zlib.crc32(block.encode("utf-8", "replace"), found)
        return zlib.crc32(hashlib.sha256(self.photos.tobytes()).digest(), found)


def prepare_captions(photos: Photos) -> PreparedCaptions:
    """Return the captions of photos, prepared; those without a word are left out."""
    texts, owners = [], []
    for number, captions in enumerate(photos.captions):
        for caption in captions:
            if text := prepared(caption):
                texts.append(text)
                owners.append(number)
    return PreparedCaptions(texts, np.asarray(owners, dtype=np.int64))


def encode_training(
    captions: PreparedCaptions, vocabulary: SentenceVocabulary, max_length: int
) -> TrainingCaptions:
    """Return the captions that are no longer than `max_length` tokens, as samples.

    Longer ones are left out and not cut: the network would learn to end in the middle.

    Raises:
        UserError: No caption is left.
    """
    numbers = vocabulary.encode_all(captions.texts)
    kept = [place for place, each in enumerate(numbers) if len(each) <= max_length]
    if not kept:
        raise UserError(
            f"no training caption is left: all {len(numbers):,} have more than {max_length} tokens",
            where="data.max_length",
            todo="raise it",
        )
    packed = PackedNumbers((numbers[place] for place in kept), below=len(vocabulary))
    return TrainingCaptions(packed, captions.photos[kept])


def encode_evaluated(photos: Photos, vocabulary: SentenceVocabulary) -> EvaluatedPhotos:
    """Return photos as samples, each with its first caption."""
    firsts = [prepared(captions[0]) if captions else "" for captions in photos.captions]
    return EvaluatedPhotos(PackedNumbers(vocabulary.encode_all(firsts), below=len(vocabulary)))
