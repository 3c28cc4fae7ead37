"""Clips as files that captions speak of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from seqforge.errors import UserError
from seqforge.vision import FrameSampling
from seqforge_tasks.captioning.clips.clip_index import ClipFile, ClipIndex
from seqforge_tasks.captioning.photos.checking import Checked
from seqforge_tasks.captioning.photos.trees.tree import FileTree

_CUT: Final = re.compile(r"(.{11})_[0-9]+_[0-9]+")
"""How MSVD names clips: the video's name on YouTube, the second of its begin and of its end."""


class FileVideos:
    """How clips are found and checked; see `FileMedium`.

    Args:
        sampling: Which frames are read.
    """

    several: Final = "clips"
    files: Final = "clips"
    copies: Final = "whose content or source video is in another part too"
    many: Final = 200

    def __init__(self, sampling: FrameSampling) -> None:
        self._sampling = sampling

    @property
    def about(self) -> str:
        """The sampling: how many frames are taken follows from it."""
        return f" {self._sampling}"

    def index(self, trees: Sequence[FileTree]) -> ClipIndex:
        """Return what finds clips in folders and archives."""
        return ClipIndex(trees)

    def check(self, file: ClipFile) -> Checked:
        """Return a hash of a clip's bytes, whether it can be read, and how many frames it gives."""
        key = ""
        try:
            key = file.digest()
            frames = len(file.read(self._sampling))
        except UserError:
            return Checked(key, sound=False)
        return Checked(key, sound=True, frames=frames)

    def read(self, file: ClipFile) -> None:
        """Read a clip for what is wrong with it.

        Raises:
            UserError: It is no clip, or damaged.
        """
        file.read(self._sampling)

    def source(self, file: str, source: str | None) -> str | None:
        """Return the video that a clip was cut from: as the captions say, or by a name of MSVD."""
        if source is not None:
            return source
        cut = _CUT.fullmatch(PurePosixPath(file).name.partition(".")[0])
        return None if cut is None else cut[1]
