"""Scores shares of a corpus on the processes of `torchrun` and writes what each rank finds.

Usage: torchrun --nproc-per-node N score_ranks.py FOLDER
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch

from seqforge.metrics import CaptionScores, TextScores


def main() -> None:
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    torch.distributed.init_process_group("gloo")
    rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    shares = json.loads((folder / "shares.json").read_text(encoding="utf-8"))
    found: dict[str, list[dict[str, Any]]] = {}
    for scores in (CaptionScores(), TextScores()):
        mine = found.setdefault(type(scores).__name__, [])
        for share in shares:  # for each evaluation, the numbers that each rank has
            own = share[rank]
            scores.update(own, [rows[i][0] for i in own], [rows[i][1] for i in own])
            try:
                mine.append(scores.compute() | {"lines": scores.lines})
            except ValueError as error:
                mine.append({"error": str(error)})
            scores.reset()
    (folder / f"{rank}.json").write_text(json.dumps(found), encoding="utf-8")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
