"""A small made-up parallel corpus on the disk."""

import gzip
import random
from collections.abc import Sequence
from pathlib import Path

ENGLISH = ["the", "red", "cat", "sees", "a", "small", "dog", "and", "two", "birds"]
FRENCH = ["le", "chat", "rouge", "voit", "un", "petit", "chien", "et", "deux", "oiseaux"]

Rows = Sequence[tuple[str, str]]


def pairs(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Return made-up pairs of 2 to 9 words on either side, about as long as each other."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        length = chance.randrange(2, 9)
        source = " ".join(chance.choices(ENGLISH, k=length)).capitalize()
        target = " ".join(chance.choices(FRENCH, k=length + chance.randrange(2))).capitalize()
        made.append((source + ".", target + " !"))
    return made


def write(folder: Path, part: str, rows: Rows, packed: bool = False) -> Path:
    """Write PART.en and PART.fr, and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, language in enumerate(("en", "fr")):
        data = "".join(row[place] + "\n" for row in rows).encode()
        name = f"{part}.{language}" + (".gz" if packed else "")
        (folder / name).write_bytes(gzip.compress(data, mtime=0) if packed else data)
    return folder
