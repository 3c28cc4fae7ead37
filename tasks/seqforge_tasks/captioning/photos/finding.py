"""Finding the captions and the pictures of a folder, an archive, a file or a data set."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from seqforge.errors import UserError, closest_match, closest_path
from seqforge_tasks.captioning.photos.sources.coco_captions import CocoCaptions
from seqforge_tasks.captioning.photos.sources.dataset_captions import DatasetCaptions
from seqforge_tasks.captioning.photos.sources.karpathy_captions import KarpathyCaptions
from seqforge_tasks.captioning.photos.sources.line_captions import LineCaptions
from seqforge_tasks.captioning.photos.sources.record import CaptionSource
from seqforge_tasks.captioning.photos.sources.split_folders import SplitFolders, folders_of_splits
from seqforge_tasks.captioning.photos.sources.table_captions import TableCaptions
from seqforge_tasks.captioning.photos.sources.token_captions import TokenCaptions
from seqforge_tasks.captioning.photos.trees.archive import Archive
from seqforge_tasks.captioning.photos.trees.folder import Folder
from seqforge_tasks.captioning.photos.trees.picture_index import PictureFile
from seqforge_tasks.captioning.photos.trees.tree import FileTree

Format = Literal["auto", "jsonl", "table", "tokens", "karpathy", "coco", "dataset"]

_NAMES: Final[Mapping[Format, tuple[str, ...]]] = {
    "jsonl": ("captions.jsonl", "metadata.jsonl"),
    "table": ("metadata.csv", "metadata.tsv", "captions.csv", "captions.tsv", "captions.txt"),
    "tokens": ("*.token.txt", "*.token"),
    "karpathy": ("dataset.json", "dataset_*.json"),
    "coco": ("captions_*.json",),
}
"""How files of captions are called in each format; `.gz` may follow."""

_ENDINGS: Final[Mapping[str, Format]] = {
    ".jsonl": "jsonl",
    ".csv": "table",
    ".tsv": "table",
    ".token": "tokens",
}
"""What a file is that was named itself and is called otherwise."""

_LISTS: Final = {"train": "train", "val": "dev", "test": "test"}
"""How the lists of Flickr8k's splits are called: `Flickr_8k.devImages.txt` is that of `val`."""

_HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")


class Found(NamedTuple):
    """Captions and where their pictures lie.

    Attributes:
        source: The captions.
        trees: Folders and archives with the pictures.
    """

    source: CaptionSource
    trees: Sequence[FileTree]


def find_captions(path: str, format: Format = "auto", pictures: str | None = None) -> Found:
    """Return what a path stands for.

    Args:
        path: A folder, a zip archive, a file of captions, or the name of a data set.
        format: What holds the captions; "auto": what its name says.
        pictures: A folder or zip archive with the pictures; None: they lie beside the captions.

    Raises:
        UserError: There is no such path, no file of captions, or more than one.
    """
    if format not in get_args(Format):
        raise UserError(
            f"there is no format '{format}'",
            where="data.format",
            accepted=get_args(Format),
            closest=closest_match(format, get_args(Format)),
        )
    place = Path(path)
    if format == "dataset" or (format == "auto" and _is_dataset(path)):
        dataset = DatasetCaptions(path)
        return Found(dataset, [dataset])
    if not place.exists():
        raise _absent(path, "data.path")
    trees = _trees(place)
    beside = trees if pictures is None else _pictures(pictures)
    if place.is_file() and not _is_archive(place):
        tree = Folder(place.parent)
        kind = _format_of(place) if format == "auto" else format
        return Found(_source(kind, [PictureFile(tree, place.name)], trees), beside)
    kind, files = _captions_in(place, trees, format)
    return Found(_source(kind, files, trees), beside)


def _is_dataset(path: str) -> bool:
    place = Path(path)
    if place.is_dir():
        names = [name for name in Folder(place).names() if name.endswith((".parquet", ".arrow"))]
        return bool(names) and not _candidates([Folder(place)], "auto")
    # A folder that was mistyped has neighbours, as names on the Hub have not.
    return bool(_HUB_NAME.fullmatch(path)) and not place.exists() and not place.parent.is_dir()


def _absent(path: str, where: str) -> UserError:
    return UserError(
        f"there is no folder, archive or file '{path}'",
        where=where,
        closest=closest_path(path),
        todo="give a folder with pictures and captions, or a data set's name: owner/name",
    )


def _is_archive(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() == ".zip"


def _trees(place: Path) -> list[FileTree]:
    """Return the path's folder and the archives in it, or the one archive that it is."""
    if _is_archive(place):
        return [Archive(place)]
    root = place if place.is_dir() else place.parent
    folder = Folder(root)
    archives = [root / name for name in folder.names() if name.lower().endswith(".zip")]
    return [folder, *map(Archive, archives)]


def _pictures(path: str) -> list[FileTree]:
    place = Path(path)
    if not place.is_dir() and not _is_archive(place):
        raise _absent(path, "data.pictures")
    return _trees(place)


def _captions_in(
    place: Path, trees: Sequence[FileTree], format: Format
) -> tuple[Format, list[PictureFile]]:
    """Return the format and the files of the captions.

    Raises:
        UserError: There are none, or it is not clear which ones are meant.
    """
    found = _candidates(trees, format)
    if not found and _is_archive(place):
        # An archive of pictures only: the captions lie beside it.
        beside = Folder(place.parent)
        names = [each.name for each in place.parent.iterdir() if each.is_file()]
        found = _matching([PictureFile(beside, name) for name in sorted(names)], format)
    if not found:
        raise UserError(
            f"'{place}' has no file of captions"
            + ("" if format == "auto" else f" in the format '{format}'"),
            where="data.path",
            accepted=[name for names in _NAMES.values() for name in names],
            todo="call it so, or give the file itself and say what it is: --data.format NAME",
        )
    files = [each for several in found.values() for each in several]
    kind = next(iter(found))
    if len(found) > 1 or (len(files) > 1 and not _belong_together(kind, files)):
        shown = ", ".join(each.name for each in files[:4])
        raise UserError(
            f"'{place}' has several files of captions: {shown}",
            where="data.path",
            todo="give the one that is meant: --data.path FILE",
        )
    return kind, files


def _belong_together(kind: Format, files: Sequence[PictureFile]) -> bool:
    if kind in ("jsonl", "table"):
        return bool(folders_of_splits([each.name for each in files]))
    return kind == "coco"


def _candidates(trees: Sequence[FileTree], format: Format) -> dict[Format, list[PictureFile]]:
    return _matching([PictureFile(tree, name) for tree in trees for name in tree.names()], format)


def _matching(files: Sequence[PictureFile], format: Format) -> dict[Format, list[PictureFile]]:
    found: dict[Format, list[PictureFile]] = {}
    for kind, patterns in _NAMES.items():
        if format in ("auto", kind):
            match = [each for each in files if _is_called(each.name, patterns)]
            if match:
                found[kind] = match
    return found


def _is_called(name: str, patterns: Sequence[str]) -> bool:
    file = name.rpartition("/")[2].removesuffix(".gz")
    # Flickr8k comes with a second file of captions, whose words are lemmas.
    return ".lemma." not in file and any(fnmatch(file, pattern) for pattern in patterns)


def _format_of(file: Path) -> Format:
    """Return what a file of captions is by its name.

    Raises:
        UserError: The name does not say.
    """
    for kind, patterns in _NAMES.items():
        if _is_called(file.name, patterns):
            return kind
    name = file.name.removesuffix(".gz")
    for ending, kind in _ENDINGS.items():
        if name.endswith(ending):
            return kind
    raise UserError(
        f"the name of '{file}' does not say what it is",
        where="data.format",
        accepted=[kind for kind in get_args(Format) if kind not in ("auto", "dataset")],
        todo="say it: --data.format NAME",
    )


def _source(
    format: Format, files: Sequence[PictureFile], trees: Sequence[FileTree]
) -> CaptionSource:
    if format == "coco":
        return CocoCaptions([each.path for each in files])
    if format == "tokens":
        return TokenCaptions(files[0].path, _lists(trees))
    sources: Mapping[Format, Callable[[Path], CaptionSource]] = {
        "jsonl": LineCaptions,
        "table": TableCaptions,
        "karpathy": KarpathyCaptions,
    }
    made = [sources[format](each.path) for each in files]
    if len(made) == 1:
        return made[0]
    folders = folders_of_splits([each.name for each in files])
    return SplitFolders(dict(zip(folders, made, strict=True)))


def _lists(trees: Sequence[FileTree]) -> dict[str, Path]:
    """Return the lists of Flickr8k's splits that there are."""
    return {
        split: tree.path(name)
        for tree in trees
        for name in tree.names()
        for split, called in _LISTS.items()
        if fnmatch(name.rpartition("/")[2], f"*.{called}Images.txt")
    }
