"""Small made-up folders of captioned clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqforge_tasks.captioning.clips import VideoCaptions
from tests.tasks.captioning.photos.albums import captions, write_lines
from tests.vision.clip_files import write_animation, write_frames

FRAMES = 5


def clip_album(
    folder: Path, count: int = 12, splits: Sequence[str | None] = (None,), **columns: Sequence[str]
) -> Path:
    """Write a folder of frames for even clips, an animation for odd ones, and their captions.

    Args:
        folder: The folder.
        count: Clips.
        splits: Their splits, which go round.
        columns: More columns, with a value for each clip.

    Returns:
        The folder.
    """
    rows: list[dict[str, Any]] = []
    for number in range(count):
        name = f"clip{number}"
        if number % 2:
            write_animation(folder / "clips" / f"{name}.gif", FRAMES + number)
        else:
            write_frames(folder / name, FRAMES, first=number)
        row: dict[str, Any] = {"id": name, "captions": captions(number)}
        split = splits[number % len(splits)]
        row |= {} if split is None else {"split": split}
        rows.append(row | {column: values[number] for column, values in columns.items()})
    write_lines(folder / "captions.jsonl", rows)
    return folder


def opened(folder: Path, cache: Path, stage: str = "fit", **options: Any) -> VideoCaptions:
    """Return the data of a folder, set up."""
    sizes = {"image_size": 8, "batch_size": 4, "frames": 3}
    data = VideoCaptions(str(folder), seed=0, cache=str(cache), **(sizes | options))
    data.prepare_data()
    data.setup(stage)
    return data
