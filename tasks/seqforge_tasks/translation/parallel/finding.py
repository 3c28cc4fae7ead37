"""Finding the files of a part by what exists."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from seqforge.errors import UserError, closest_match, closest_path
from seqforge_tasks.translation.parallel.aligned import AlignedFiles
from seqforge_tasks.translation.parallel.json_pairs import JsonPairs
from seqforge_tasks.translation.parallel.pair import PairSource
from seqforge_tasks.translation.parallel.tabbed import TabbedPairs

PACKED: Final = ".gz"


def find_pairs(folder: Path, part: str, source: str, target: str, option: str) -> PairSource:
    """Return the pairs of a part: files PART.SOURCE and PART.TARGET, or PART.tsv, or PART.jsonl.

    Each may be packed by gzip: then `.gz` follows.

    Args:
        folder: Where the files are.
        part: What their names begin with, such as "train".
        source: Language of the source.
        target: Language of the target.
        option: The option that names the part, for messages.

    Raises:
        UserError: There are no such files, or that of one language is missing.
    """
    if not folder.is_dir():
        raise UserError(
            f"there is no folder '{folder}'",
            where="data.path",
            closest=closest_path(str(folder)),
            todo="give the folder with the texts of both languages",
        )
    first, second = (_existing(folder, f"{part}.{language}") for language in (source, target))
    if first is not None and second is not None:
        return AlignedFiles(first, second)
    if table := _existing(folder, f"{part}.tsv"):
        return TabbedPairs(table, source, target)
    if table := _existing(folder, f"{part}.jsonl"):
        return JsonPairs(table, source, target)
    found = source if first is not None else target
    language, name = (target, "target") if first is not None else (source, "source")
    present = {each.name.removesuffix(PACKED) for each in folder.iterdir() if each.is_file()}
    of_part = sorted(name for name in present if name.startswith(f"{part}."))
    raise UserError(
        f"there is no file '{part}.{language}', nor '{part}.tsv' or '{part}.jsonl', in '{folder}'",
        where=f"data.{name}" if of_part else option,
        accepted=of_part or present,
        closest=closest_match(f"{part}.{language}", present - {f"{part}.{found}"}),
        todo="name a part and two languages whose files are there; each may end in .gz too",
    )


def _existing(folder: Path, name: str) -> Path | None:
    """Return a file, packed or not; None if there is neither."""
    candidates = (folder / name, folder / (name + PACKED))
    return next((each for each in candidates if each.is_file()), None)
