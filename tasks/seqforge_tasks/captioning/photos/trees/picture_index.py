"""Where the pictures lie that captions name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from seqforge.errors import UserError, closest_match
from seqforge_tasks.captioning.photos.trees.tree import FileTree


class PictureFile(NamedTuple):
    """A picture's file.

    Attributes:
        tree: Where it lies.
        name: What it is called there.
    """

    tree: FileTree
    name: str

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.tree.label(self.name)

    @property
    def path(self) -> Path:
        """What readers of text open."""
        return self.tree.path(self.name)

    def stamp(self) -> str:
        """Return what changes whenever the picture may have changed."""
        return self.tree.stamp(self.name)

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises:
            UserError: It cannot be read.
        """
        return self.tree.read(self.name)


class PictureIndex:
    """Finds pictures in folders and archives, in whatever folder of theirs they lie.

    Captions often name a file without its folder, or with folders that are called otherwise here.

    Args:
        trees: Where pictures lie; of equal matches those of the first one are taken.
    """

    def __init__(self, trees: Sequence[FileTree]) -> None:
        self._trees = trees
        self._files: dict[str, list[tuple[int, str]]] = {}
        for number, tree in enumerate(trees):
            for name in tree.names():
                self._files.setdefault(name.rpartition("/")[2], []).append((number, name))

    def find(self, file: str, place: str) -> PictureFile:
        """Return the picture that captions call `file`.

        Args:
            file: A name with or without folders.
            place: Where it is named, for messages.

        Raises:
            UserError: There is none, or several fit alike.
        """
        wanted = PurePosixPath(file.strip().replace("\\", "/"))
        found = self._files.get(wanted.name, [])
        if not found:
            raise UserError(
                f"{place} names a picture that is not there: '{file}'",
                where="data.path",
                closest=closest_match(wanted.name, self._files) if len(self._files) < 9999 else "",
                todo="put it into the folder, or leave such pictures out: --data.on_error skip",
            )
        if len(found) == 1:
            return PictureFile(self._trees[found[0][0]], found[0][1])
        ranked = sorted(
            (-common(PurePosixPath(name), wanted), number, name) for number, name in found
        )
        if ranked[0][:2] == ranked[1][:2]:
            raise UserError(
                f"{place} names '{file}', and there are several: "
                f"{', '.join(sorted(name for _, name in found))}",
                where="data.path",
                todo="name it with its folder",
            )
        return PictureFile(self._trees[ranked[0][1]], ranked[0][2])


def common(name: PurePosixPath, wanted: PurePosixPath) -> int:
    """Return how many parts of two names agree from the end; one more where all do."""
    count = 0
    for one, other in zip(reversed(name.parts), reversed(wanted.parts), strict=False):
        if one != other:
            return count
        count += 1
    return count + (len(name.parts) == len(wanted.parts))
