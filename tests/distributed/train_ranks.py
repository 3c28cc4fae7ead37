"""Trains the ragged task on the processes of `torchrun` and writes what each rank found.

Usage: torchrun --nproc-per-node N train_ranks.py FOLDER
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))  # after what is installed, which is to be tested

import torch  # noqa: E402

from tests.distributed import ragged  # noqa: E402


def main() -> None:
    folder, rank = Path(sys.argv[1]), os.environ["RANK"]
    torch.set_num_threads(1)
    for case in ragged.CASES:
        found = ragged.train(folder, case, devices=int(os.environ["WORLD_SIZE"]), strategy="ddp")
        torch.save(found, folder / f"{case}-{rank}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
