"""Small made-up albums of captioned photos on the disk."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from seqforge_tasks.captioning.photos.image_captions import ImageCaptions

COLOURS = ["red", "green", "blue", "grey", "pink", "gold", "navy", "teal", "lime", "brown"]


def picture(number: int, ending: str = "png") -> bytes:
    """Return a file of 20 x 16 pixels in a colour of its own for each number."""
    made = io.BytesIO()
    colour = (number * 37 % 256, number * 101 % 256, number % 256)
    Image.new("RGB", (20, 16), colour).save(made, {"jpg": "JPEG"}.get(ending, ending))
    return made.getvalue()


def captions(number: int, count: int = 3) -> list[str]:
    """Return captions of 3 words and more, of which no two are alike."""
    colour = COLOURS[number % 10]
    return [f"A {colour} square{' and more' * each}, number {number}." for each in range(count)]


def rows(
    count: int, splits: Sequence[str | None] = (None,), first: int = 0
) -> list[dict[str, Any]]:
    """Return what `captions.jsonl` holds of `count` photos; splits go round."""
    made = []
    for number in range(first, first + count):
        split = splits[number % len(splits)]
        row: dict[str, Any] = {"file": f"{number}.png", "captions": captions(number)}
        made.append(row if split is None else row | {"split": split})
    return made


def write_pictures(folder: Path, numbers: Sequence[int]) -> None:
    """Write `0.png` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"{number}.png").write_bytes(picture(number))


def write_lines(file: Path, objects: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(each) + "\n" for each in objects), encoding="utf-8")


def album(folder: Path, count: int = 12, splits: Sequence[str | None] = (None,)) -> Path:
    """Write a folder with `captions.jsonl` and pictures, and return it."""
    write_pictures(folder, range(count))
    write_lines(folder / "captions.jsonl", rows(count, splits))
    return folder


def pack(folder: Path, archive: Path, method: int = zipfile.ZIP_STORED) -> None:
    """Write all pictures of a folder into an archive, and remove them."""
    with zipfile.ZipFile(archive, "w", method) as opened:
        for file in sorted(folder.rglob("*.png")):
            opened.write(file, file.relative_to(folder).as_posix())
            file.unlink()


def opened(path: Path | str, cache: Path, stage: str = "fit", **options: Any) -> ImageCaptions:
    """Return data that are set up, with small pictures."""
    chosen = {"image_size": 8, "batch_size": 8, "seed": 3, **options}
    data = ImageCaptions(str(path), cache=str(cache), **chosen)
    data.prepare_data()
    data.setup(stage)
    return data


def parts_of(data: ImageCaptions) -> dict[str, list[str]]:
    """Return the names of each part's photos."""
    return {part: list(data.photos(part).names) for part in ("train", "validation", "test")}
