"""Asks for features on two processes, under several circumstances, and writes what came of each.

Usage: cache_ranks.py FOLDER RANK

Rank 0 goes on to compute features that take for ever, and wants to be killed.
"""

import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, distributed

from seqforge.errors import UserError
from seqforge.vision import FeatureCache, ImageTransform, SmallCNN, feature_cache, one_process


class Pictures:
    def __init__(self, what: str) -> None:
        self.keys = [f"key {number}" for number in range(6)]
        self.read: list[int] = []
        self._what = what

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, number: int) -> Tensor:
        self.read.append(number)
        if self._what == "bad" and number == 3:
            raise UserError("the picture 'bad-3.jpg' is damaged")
        if self._what == "broken" and number == 3:
            raise ZeroDivisionError("by zero")
        time.sleep(1000 if self._what == "slow" and number == 4 else 0.01)
        chance = torch.Generator().manual_seed(number)
        return torch.randint(0, 256, (3, 16, 16), generator=chance, dtype=torch.uint8)


def ask(folder: Path, rank: int, what: str) -> None:
    torch.manual_seed(0)
    encoder = SmallCNN((4, 6))
    encoder.build(16)
    pictures = Pictures(what)
    found: dict[str, object]
    try:
        features = FeatureCache(folder / what).features(
            encoder, ImageTransform(16), pictures, torch.device("cpu")
        )
        found = {"sum": float(features.astype(float).sum())}
    except (UserError, ZeroDivisionError) as error:
        found = {"error": str(error)}
    report = json.dumps(found | {"read": sorted(pictures.read)})
    (folder / f"{what}-{rank}.json").write_text(report, encoding="utf-8")


def main() -> None:
    folder, rank = Path(sys.argv[1]), int(sys.argv[2])
    store = f"file://{folder / 'store'}"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    feature_cache.BATCH = 2
    one_process.PULSE = 0.0  # those that wait hear of every batch
    for what in ("whole", "bad", "broken"):
        ask(folder, rank, what)
    opened = feature_cache._opened
    if rank == 1:
        feature_cache._opened = lambda file, shape: None
    ask(folder, rank, "unseen")
    feature_cache._opened = opened
    distributed.destroy_process_group()
    if rank == 0:
        ask(folder, rank, "slow")


if __name__ == "__main__":
    main()
