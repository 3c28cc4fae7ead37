"""Trains every contract on the processes of `torchrun` and writes what each rank ended with.

Usage: torchrun --nproc-per-node 2 run_ddp.py FOLDER [NAME…]
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))  # after what is installed, which is to be tested

import torch  # noqa: E402

from tests.contracts import support  # noqa: E402


def main() -> None:
    folder, rank = Path(sys.argv[1]), os.environ["RANK"]
    torch.set_num_threads(1)
    for name in sys.argv[2:] or support.CONTRACTS:
        result = support.train_exactly(name, folder, devices=2, strategy="ddp")
        torch.save(result, folder / f"{name}-{rank}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
