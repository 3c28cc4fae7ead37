"""Captions by number, photos by number, and the batches that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqforge.data import Draw
from seqforge.text import PackedNumbers
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.photos.photos import Part, Photos
from seqforge_tasks.captioning.photos.served import ServedFeatures
from seqforge_tasks.captioning.seen import stacked

MARKS = 1
"""Marks of a caption in a batch: a begin before it, or an end behind it."""


class CaptionSample(NamedTuple):
    """A caption with the number of its photo.

    The picture itself is read when a batch is put together, so that one that several captions of
    the batch share is read once.

    Attributes:
        tokens: Numbers of the caption (T,), int64, without marks.
        photo: The photo's number.
        epoch: The epoch of training; -1 in evaluation.
    """

    tokens: NDArray[np.int64]
    photo: int
    epoch: int = -1


class TrainingCaptions:
    """Every caption of the training photos is a sample.

    Args:
        tokens: Numbers of the captions.
        photos: The photo of each caption (N,), int64.
    """

    def __init__(self, tokens: PackedNumbers, photos: NDArray[np.int64]) -> None:
        self._tokens = tokens
        self._photos = photos

    def __len__(self) -> int:
        return len(self._photos)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each caption (N,), its mark included."""
        return self._tokens.lengths + MARKS

    def __getitem__(self, index: int) -> CaptionSample:
        return CaptionSample(self._tokens[index], int(self._photos[index]), 0)

    def draw(self, draw: Draw) -> CaptionSample:
        """Return a caption and the epoch in which it is trained on."""
        return self[draw.number]._replace(epoch=draw.epoch)


class EvaluatedPhotos:
    """Every photo is a sample, with the first of its captions.

    Args:
        tokens: Numbers of each photo's first caption.
    """

    def __init__(self, tokens: PackedNumbers) -> None:
        self._tokens = tokens

    def __len__(self) -> int:
        return len(self._tokens)

    def __getitem__(self, index: int) -> CaptionSample:
        return CaptionSample(self._tokens[index], index)


class TrainingCollate:
    """Makes training batches, whose rows are captions.

    Args:
        photos: The training photos.
        served: Features that take the place of their pictures.
        begin: Number of the begin mark.
        end: Number of the end mark.
    """

    def __init__(self, photos: Photos, served: ServedFeatures, begin: int, end: int) -> None:
        self._photos = photos
        self._served = served
        self._begin = begin
        self._end = end

    def __call__(self, numbers: Sequence[int], samples: Sequence[CaptionSample]) -> CaptionBatch:
        """Return a batch of captions under their global numbers, each picture in it once."""
        numbers_of_photos = [each.photo for each in samples]
        different = list(dict.fromkeys(numbers_of_photos))
        place = {photo: number for number, photo in enumerate(different)}
        served = self._served.in_epoch(samples[0].epoch)
        pictures, features, frames = None, None, None
        if served is None:
            pictures, frames = _pictures(self._photos, different)
        else:
            features, frames = served.rows(different)
        inputs, targets, lengths = _framed(samples, self._begin, self._end)
        return CaptionBatch(
            ids=torch.tensor(numbers),
            pictures=pictures,
            features=features,
            frames=frames,
            places=torch.tensor([place[photo] for photo in numbers_of_photos]),
            inputs=inputs,
            targets=targets,
            lengths=lengths,
            names=tuple(self._photos.names[photo] for photo in numbers_of_photos),
            references=tuple(self._photos.captions[photo] for photo in numbers_of_photos),
        )


class EvaluationCollate:
    """Makes batches of validation or test, whose rows are photos.

    Args:
        photos: The photos of the part.
        served: Features that are given beside their pictures.
        part: The part.
        begin: Number of the begin mark.
        end: Number of the end mark.
    """

    def __init__(
        self, photos: Photos, served: ServedFeatures, part: Part, begin: int, end: int
    ) -> None:
        self._photos = photos
        self._served = served
        self._part = part
        self._begin = begin
        self._end = end

    def __call__(self, numbers: Sequence[int], samples: Sequence[CaptionSample]) -> CaptionBatch:
        """Return a batch of photos under their global numbers, with all their captions."""
        photos = [each.photo for each in samples]
        served = self._served.evaluated.get(self._part)
        pictures, frames = _pictures(self._photos, photos)
        inputs, targets, lengths = _framed(samples, self._begin, self._end)
        return CaptionBatch(
            ids=torch.tensor(numbers),
            pictures=pictures,
            features=None if served is None else served.rows(photos).features,
            frames=frames,
            places=torch.arange(len(photos)),
            inputs=inputs,
            targets=targets,
            lengths=lengths,
            names=tuple(self._photos.names[photo] for photo in photos),
            references=tuple(self._photos.captions[photo] for photo in photos),
        )


def _pictures(photos: Photos, numbers: Sequence[int]) -> tuple[Tensor, Tensor | None]:
    return stacked([photos.picture(number) for number in numbers])


def _framed(
    samples: Sequence[CaptionSample], begin: int, end: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return inputs (B, T), targets (B, T) and lengths (B,) of captions, padded with 0."""
    lengths = [len(each.tokens) + MARKS for each in samples]
    inputs = np.zeros((len(samples), max(lengths)), dtype=np.int64)
    targets = np.zeros_like(inputs)
    inputs[:, 0] = begin
    for row, (each, length) in enumerate(zip(samples, lengths, strict=True)):
        inputs[row, 1:length] = targets[row, : length - 1] = each.tokens
        targets[row, length - 1] = end
    return torch.from_numpy(inputs), torch.from_numpy(targets), torch.tensor(lengths)
