"""Where the clips lie that captions name: videos, animations, folders of frames."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

from PIL.Image import Image

from seqforge.errors import UserError, closest_match
from seqforge.vision import FrameSampling, read_clip, read_frames, read_image
from seqforge_tasks.captioning.input_clips import CLIPS, FRAMES, natural
from seqforge_tasks.captioning.photos.trees.picture_index import common
from seqforge_tasks.captioning.photos.trees.tree import FileTree

BLOCK = 2**20
"""Bytes that are read at a time."""


class ClipFile(NamedTuple):
    """A clip's file, or its frames.

    Attributes:
        tree: Where it lies.
        name: What the file is called there, or the folder of the frames.
        frames: The frames' files in order; empty: the clip is one file.
    """

    tree: FileTree
    name: str
    frames: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.tree.label(self.name)

    def stamp(self) -> str:
        """Return what changes whenever the clip may have changed."""
        return "\n".join(map(self.tree.stamp, self._files()))

    def digest(self) -> str:
        """Return a SHA-256 of its files' bytes, 32 hexadecimal signs.

        Raises:
            UserError: A file cannot be read.
        """
        digests = []
        for name in self._files():
            digest = hashlib.sha256()
            with self.tree.open(name) as file:
                while block := file.read(BLOCK):
                    digest.update(block)
            digests.append(digest.hexdigest())
        return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:32]

    def read(self, sampling: FrameSampling) -> list[Image]:
        """Return the wanted frames, RGB.

        Raises:
            UserError: It is no clip, has no frames, or is damaged.
        """
        if self.frames:
            frames = [partial(self._frame, name) for name in self.frames]
            return read_frames(frames, sampling, name=self.label)
        with self.tree.open(self.name) as file:
            return read_clip(file, sampling, name=self.label)

    def _frame(self, name: str) -> Image:
        with self.tree.open(name) as file:
            return read_image(file, name=self.tree.label(name))

    def _files(self) -> tuple[str, ...]:
        return self.frames or (self.name,)


class ClipIndex:
    """Finds clips in folders and archives, in whatever folder of theirs they lie.

    A clip may be named by its file, with or without the ending, or by the folder of its frames. Of
    equal names a file's whole one comes first, then a folder of frames, then a file's name without
    its ending.

    Args:
        trees: Where clips lie; of equal matches those of the first one are taken.
    """

    def __init__(self, trees: Sequence[FileTree]) -> None:
        self._files: dict[str, list[ClipFile]] = {}
        self._stems: dict[str, list[ClipFile]] = {}
        self._folders: dict[str, list[ClipFile]] = {}
        for tree in trees:
            frames: dict[str, list[str]] = {}
            for name in tree.names():
                path = PurePosixPath(name)
                ending = path.suffix.lower()
                if ending in CLIPS:
                    self._files.setdefault(path.name, []).append(ClipFile(tree, name))
                    self._stems.setdefault(path.stem, []).append(ClipFile(tree, name))
                elif ending in FRAMES and path.parent.name:
                    frames.setdefault(str(path.parent), []).append(name)
            for folder, names in frames.items():
                clip = ClipFile(tree, folder, tuple(sorted(names, key=natural)))
                self._folders.setdefault(PurePosixPath(folder).name, []).append(clip)

    def find(self, file: str, place: str) -> ClipFile:
        """Return the clip that captions call `file`.

        Args:
            file: A name with or without folders.
            place: Where it is named, for messages.

        Raises:
            UserError: There is none, or several fit alike.
        """
        wanted = PurePosixPath(file.strip().replace("\\", "/"))
        found = (
            self._files.get(wanted.name)
            or self._folders.get(wanted.name)
            or self._stems.get(wanted.name)
        )
        if not found:
            known = {**self._files, **self._folders}
            raise UserError(
                f"{place} names a clip that is not there: '{file}'",
                where="data.path",
                closest=closest_match(wanted.name, known) if len(known) < 9999 else "",
                todo="put it into the folder, or leave such clips out: --data.on_error skip",
            )
        ranked = sorted(found, key=lambda clip: -common(PurePosixPath(clip.name), wanted))
        first = ranked[0]
        alike = [
            clip
            for clip in ranked
            if clip.tree is first.tree
            and common(PurePosixPath(clip.name), wanted)
            == common(PurePosixPath(first.name), wanted)
        ]
        if len(alike) > 1:
            raise UserError(
                f"{place} names '{file}', and there are several: "
                f"{', '.join(sorted(clip.name for clip in alike))}",
                where="data.path",
                todo="name it with its folder",
            )
        return first
