"""What is captioned: pictures, or clips. How each is found, read and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from PIL.Image import Image
from torch import Tensor

from seqforge.task import Source
from seqforge.vision import FrameSampling, ImageTransform
from seqforge_tasks.captioning.input_clips import Input, find_clips, stills

Frames = Sequence[Image]
"""What was read: a clip's frames; of a picture that alone."""

DRAWN = 320
"""Pixels that a picture is drawn with at least, however few the network reads."""

DRAWN_FRAME = 160
"""Likewise for the frames of a clip."""


class Medium(Protocol):
    """Pictures or clips as inputs of `infer`."""

    @property
    def transform(self) -> ImageTransform:
        """What each picture or frame goes through."""
        ...

    def find(self, sources: Iterable[Source | Image]) -> Iterator[Input]:
        """Yield what sources hold, without reading it.

        Raises:
            UserError: A source holds nothing of the kind.
        """
        ...

    @property
    def ahead(self) -> int:
        """How many are read before they are asked for."""
        ...

    @property
    def example(self) -> str:
        """What may stand behind `seqforge infer CKPT`."""
        ...

    @property
    def nouns(self) -> tuple[str, str]:
        """What one of them is called, and several."""
        ...

    def tensor(self, frames: Frames) -> Tensor:
        """Return what the network reads: `(3, S, S)` uint8, or `(F, 3, S, S)`."""
        ...

    def drawn(self, frames: Frames) -> Tensor:
        """Return the same with as many pixels as are drawn."""
        ...


@dataclass(frozen=True)
class StillMedium:
    """Pictures.

    Attributes:
        transform: What each goes through.
        ahead: How many are read before they are asked for.
        example: What may stand behind `seqforge infer CKPT`.
        nouns: What one of them is called, and several.
    """

    transform: ImageTransform
    ahead: int = 32
    example: str = "-i photo.jpg"
    nouns: tuple[str, str] = ("picture", "pictures")

    def find(self, sources: Iterable[Source | Image]) -> Iterator[Input]:
        """Yield the pictures of sources; see `find_pictures`."""
        return stills(sources)

    def tensor(self, frames: Frames) -> Tensor:
        """Return the one picture as the network reads it, `(3, S, S)` uint8."""
        return self.transform(frames[0])

    def drawn(self, frames: Frames) -> Tensor:
        """Return the one picture as it is drawn, `(3, S', S')` uint8."""
        return larger(self.transform, DRAWN)(frames[0])


@dataclass(frozen=True)
class ClipMedium:
    """Clips.

    Attributes:
        transform: What each frame goes through.
        sampling: Which frames are taken.
        ahead: How many are read before they are asked for.
        example: What may stand behind `seqforge infer CKPT`.
        nouns: What one of them is called, and several.
    """

    transform: ImageTransform
    sampling: FrameSampling
    ahead: int = 4
    example: str = "-i clip.avi"
    nouns: tuple[str, str] = ("clip", "clips")

    def find(self, sources: Iterable[Source | Image]) -> Iterator[Input]:
        """Yield the clips of sources; see `find_clips`."""
        return find_clips(sources, self.sampling)

    def tensor(self, frames: Frames) -> Tensor:
        """Return the frames as the network reads them, `(F, 3, S, S)` uint8."""
        return torch.stack([self.transform(each) for each in frames])

    def drawn(self, frames: Frames) -> Tensor:
        """Return the frames as they are drawn, `(F, 3, S', S')` uint8."""
        shown = larger(self.transform, DRAWN_FRAME)
        return torch.stack([shown(each) for each in frames])


def larger(transform: ImageTransform, least: int) -> ImageTransform:
    """Return the transform for pictures of at least so many pixels a side."""
    return replace(transform, size=max(least, transform.size))


def medium_from_spec(spec: Mapping[str, Any]) -> Medium:
    """Return what the data of a spec are: clips if it says which frames are taken, or pictures.

    Raises:
        UserError: The spec's values are out of range.
    """
    transform = ImageTransform.from_spec(spec["transform"])
    if (frames := spec.get("frames")) is None:
        return StillMedium(transform)
    return ClipMedium(transform, FrameSampling.from_spec(frames))
