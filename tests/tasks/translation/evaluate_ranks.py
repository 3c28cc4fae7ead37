"""Evaluates shares of batches on the processes of `torchrun` and writes what each rank finds.

Usage: torchrun --nproc-per-node N evaluate_ranks.py FOLDER
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT))  # after what is installed, which is to be tested

import torch  # noqa: E402

from seqforge.task import Progress  # noqa: E402
from seqforge.training.evaluation import Evaluation  # noqa: E402
from tests.tasks.translation.networks import batch, sentences, task  # noqa: E402

CASES = {"even": 10, "odd": 7, "one": 1}
"""Names and numbers of pairs; the second of two ranks has nothing of the last one."""


def measures(pairs: int, rank: int = 0, world: int = 1) -> dict[str, float]:
    """Return what an evaluation finds when this rank has every `world`-th pair."""
    sources, targets = sentences(pairs, seed=1), sentences(pairs, seed=2)
    made = task(beam_size=2)
    made.search_options.min_length = 4
    evaluation = Evaluation(made)
    evaluation.begin(["validation"])
    own = range(rank, pairs, world)
    ids = list(own) or [-1]  # a filler keeps the ranks in step
    chosen = list(own) or [0]
    one = batch([sources[i] for i in chosen], [targets[i] for i in chosen], padding=rank, ids=ids)
    # Every other reference is what the network writes, so that no score is 0 or 100.
    written = made.translate(one.source_texts, made.search_options)
    pairs_of_texts = zip(ids, written, one.target_texts, strict=True)
    texts = tuple(free if i % 2 == 0 else known for i, free, known in pairs_of_texts)
    with torch.no_grad():
        evaluation.add(replace(one, target_texts=texts), 0, 0, Progress(0, 0, 0.0))
    return evaluation.finish(world)


def main() -> None:
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    world = torch.distributed.get_world_size()
    found = {name: measures(pairs, rank, world) for name, pairs in CASES.items()}
    (folder / f"{rank}.json").write_text(json.dumps(found), encoding="utf-8")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
