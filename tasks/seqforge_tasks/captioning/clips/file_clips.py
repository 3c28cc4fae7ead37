"""Clips in files."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqforge.vision import FrameSampling, ImageTransform
from seqforge_tasks.captioning.clips.clip_index import ClipFile
from seqforge_tasks.captioning.photos.gathering import GatheredPhoto


class FileClips:
    """Clips whose frames are read from files when they are asked for.

    Args:
        clips: The clips.
        transform: What is done to their frames.
        sampling: Which frames are read.
    """

    def __init__(
        self,
        clips: Sequence[GatheredPhoto[ClipFile]],
        transform: ImageTransform,
        sampling: FrameSampling,
    ) -> None:
        self._files = [each.picture for each in clips]
        self._transform = transform
        self._sampling = sampling
        self._names = tuple(each.file for each in clips)
        self._keys = tuple(f"{each.key} {sampling}" for each in clips)
        self._captions = tuple(each.captions for each in clips)
        self._frames = tuple(each.frames for each in clips)

    @property
    def names(self) -> Sequence[str]:
        """Each clip's file, as the captions name it."""
        return self._names

    @property
    def keys(self) -> Sequence[str]:
        """A hash of each clip's bytes, and which frames are taken."""
        return self._keys

    @property
    def captions(self) -> Sequence[tuple[str, ...]]:
        """Each clip's captions as they were written."""
        return self._captions

    @property
    def frames(self) -> Sequence[int]:
        """How many frames of each clip are taken."""
        return self._frames

    def __len__(self) -> int:
        return len(self._files)

    def picture(self, number: int) -> Tensor:
        """Return a clip, `(F, 3, S, S)` uint8.

        Raises:
            UserError: Its file has changed since it was checked, and is none any more.
        """
        frames = self._files[number].read(self._sampling)
        return torch.stack([self._transform(each) for each in frames])
