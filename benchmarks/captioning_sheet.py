"""Show how a network captions photos: a sheet of 24 of them, and its measures as a table.

    seqforge predict --config configs/recipes/flickr8k.yaml --ckpt_path runs/NAME
    python benchmarks/captioning_sheet.py runs/predictions.jsonl --photos FOLDER

`seqforge predict` writes each photo's caption with its references; this draws 12 of the photos at
random, the 6 with the highest and the 6 with the lowest CIDEr-D of their own, and prints all
measures of the whole file as Markdown. The photos lie in a folder or a zip archive, under the names
that the predictions give. The sheet goes beside the predictions unless told otherwise: mind whether
the photos' licences let you pass it on.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from seqforge.errors import UserError
from seqforge.metrics import CaptionScores, CiderD, caption_tokens
from seqforge.vision import ImageTransform, read_image
from seqforge_tasks.captioning.photos.trees.archive import Archive
from seqforge_tasks.captioning.photos.trees.folder import Folder
from seqforge_tasks.captioning.photos.trees.picture_index import PictureIndex
from seqforge_tasks.captioning.photos.trees.tree import FileTree
from seqforge_tasks.captioning.pictures import SheetEntry, contact_sheet

RANDOM, BEST, WORST = 12, 6, 6
COLUMNS = 6
DPI = 100
SIZE = 300
"""Pixels of a side of a photo before it is drawn."""

NAMES = {
    "cider": "CIDEr-D",
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "rouge_l": "ROUGE-L",
    "exact_match": "exact match",
    "distinct": "distinct captions",
}


class Captioned(NamedTuple):
    """A photo with what was written of it.

    Attributes:
        file: The photo's name.
        caption: The network's.
        references: What people wrote.
    """

    file: str
    caption: str
    references: tuple[str, ...]


def read_predictions(file: Path) -> list[Captioned]:
    """Return the lines of a `predictions.jsonl`."""
    rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return [Captioned(row["file"], row["caption"], tuple(row["references"])) for row in rows]


def cider_each(rows: Sequence[Captioned]) -> list[float]:
    """Return CIDEr-D of each caption, with the frequencies of all references."""
    references = [[caption_tokens(text) for text in row.references] for row in rows]
    scorer = CiderD.of(references)
    known = [scorer.prepare(each) for each in references]
    scores = scorer.scores([caption_tokens(row.caption) for row in rows], known)
    return [float(each) for each in scores]


def chosen(scores: Sequence[float], seed: int = 0) -> dict[str, list[int]]:
    """Return which photos are shown, by the reason; none twice.

    The random ones are drawn first, from all photos, so that they show what is usual.

    Args:
        scores: Of each photo.
        seed: Of the draw.
    """
    numbers = random.Random(seed).sample(range(len(scores)), min(RANDOM, len(scores)))
    left = sorted(set(range(len(scores))) - set(numbers), key=lambda n: (scores[n], n))
    worst = left[:WORST]
    best = left[WORST:][::-1][:BEST]
    return {"random": numbers, "best": best, "worst": worst}


def measures(rows: Sequence[Captioned]) -> str:
    """Return all measures as a table."""
    scores = CaptionScores()
    scores.update(range(len(rows)), [row.caption for row in rows], [row.references for row in rows])
    found = scores.compute()
    lines = [f"| {NAMES[name]} | {value:.1f} |" for name, value in found.items()]
    return "\n".join([f"| {len(rows):,} photos | % |", "|---|---|", *lines])


def entries(rows: Sequence[Captioned], photos: Path) -> list[SheetEntry]:
    """Return what the sheet shows: each photo, its caption and why, a reference."""
    tree: FileTree = Archive(photos) if photos.is_file() else _inside(photos)
    index, transform = PictureIndex([tree]), ImageTransform(SIZE, "pad")
    scores, shown = cider_each(rows), []
    for reason, numbers in chosen(scores).items():
        for number in numbers:
            row = rows[number]
            data = index.find(row.file, "predictions").read()
            picture = transform(read_image(io.BytesIO(data), name=row.file))
            caption = f"{row.caption} [{reason}, {scores[number]:.0f}]"
            shown.append(SheetEntry(picture, caption, row.references[0]))
    return shown


def _inside(folder: Path) -> FileTree:
    """Return the folder, or the only archive that lies in it."""
    archives = sorted(folder.glob("*.zip"))
    return Archive(archives[0]) if len(archives) == 1 else Folder(folder)


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("predictions", type=Path, help="predictions.jsonl of `seqforge predict`")
    parser.add_argument("--photos", type=Path, required=True, help="their folder or zip archive")
    parser.add_argument("--output", type=Path, help="the sheet; else sheet.png beside predictions")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    arguments = parsed(words)
    rows = read_predictions(arguments.predictions)
    try:
        shown = entries(rows, arguments.photos)
    except UserError as error:
        sys.exit(str(error))
    target = arguments.output or arguments.predictions.with_name("sheet.png")
    contact_sheet(shown, COLUMNS).savefig(target, dpi=DPI)
    print(f"{measures(rows)}\n\n{target}")


if __name__ == "__main__":
    main()
