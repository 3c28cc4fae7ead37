"""The single pictures of photos or clips, as a cache of features reads them."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from threading import Lock

from torch import Tensor

from seqforge.vision import Pictures
from seqforge_tasks.captioning.photos.photos import Photos

HELD = 4
"""Clips that are held decoded while their frames are asked for, by several threads."""


class PicturesOf:
    """The pictures of photos in the order of their numbers.

    Args:
        photos: Whose pictures.
    """

    def __init__(self, photos: Photos) -> None:
        self._photos = photos

    @property
    def keys(self) -> Sequence[str]:
        """A hash of each picture's content."""
        return self._photos.keys

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, number: int) -> Tensor:
        return self._photos.picture(number)


class FramesOf:
    """The frames of clips, one clip after the other.

    Args:
        clips: Whose frames.
        frames: How many each clip has.
    """

    def __init__(self, clips: Photos, frames: Sequence[int]) -> None:
        self._clips = clips
        self._ends = list(accumulate(frames))
        self._keys = tuple(
            f"{key} {number} of {count}"
            for key, count in zip(clips.keys, frames, strict=True)
            for number in range(count)
        )
        self._held: OrderedDict[int, Tensor] = OrderedDict()
        self._lock = Lock()

    @property
    def keys(self) -> Sequence[str]:
        """A hash of each clip's content, and the frame's number in it."""
        return self._keys

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, number: int) -> Tensor:
        clip = bisect_right(self._ends, number)
        first = self._ends[clip - 1] if clip else 0
        with self._lock:  # or several threads would decode the same clip
            if (frames := self._held.get(clip)) is None:
                frames = self._held[clip] = self._clips.picture(clip)
                if len(self._held) > HELD:
                    self._held.popitem(last=False)
        return frames[number - first]


def pictures_of(photos: Photos) -> Pictures:
    """Return the pictures of photos, or the frames of clips."""
    return PicturesOf(photos) if photos.frames is None else FramesOf(photos, photos.frames)
