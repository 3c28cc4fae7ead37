"""Finding text files: by name, in folders, by patterns."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from seqforge.errors import UserError, closest_path

ENDINGS: Final = (".abc", ".csv", ".jsonl", ".md", ".text", ".tsv", ".txt")
"""The files that are taken from a folder; `.gz` may follow. Named ones may have any ending."""


def find_files(paths: str | Sequence[str]) -> list[Path]:
    """Return the files that paths stand for, those of each path in the order of their names.

    Args:
        paths: A file, a folder (all text files in it, at any depth), a pattern such as
            `songs/**/*.txt`, or several of these.

    Raises:
        UserError: A path stands for no file.
    """
    several = [paths] if isinstance(paths, str) else list(paths)
    if not several:
        raise UserError("the list of text files is empty", where="data.path", todo="name a file")
    return [file for path in several for file in _files(path)]


def _files(name: str) -> list[Path]:
    path = Path(name)
    if path.is_file():
        return [path]
    if path.is_dir():
        return _in_folder(path)
    if glob.has_magic(name):
        found = glob.glob(name, recursive=True)  # noqa: PTH207 - it may begin at the root
        files = sorted(path for each in found if (path := Path(each)).is_file())
        if files:
            return files
        raise UserError(
            f"no file matches '{name}'",
            where="data.path",
            todo="** stands for any folders, * for any part of a name; quote it in a shell",
        )
    if path.exists():
        raise UserError(
            f"'{name}' is no regular file, and only those can be read",
            where="data.path",
            todo="write the text to a file first: it may be read again by a later run",
        )
    raise UserError(
        f"there is no text file '{name}'",
        where="data.path",
        closest=closest_path(name),
        todo="give a file, folder or pattern; without a path the text that comes with Python is "
        "used",
    )


def _in_folder(folder: Path) -> list[Path]:
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.name.lower().removesuffix(".gz").endswith(ENDINGS)
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.is_file()
    )
    if not files:
        raise UserError(
            f"the folder '{folder}' holds no text files",
            where="data.path",
            accepted=[*ENDINGS, "each with .gz"],
            todo=f"name other files by a pattern: '{folder}/*.ENDING'",
        )
    return files
