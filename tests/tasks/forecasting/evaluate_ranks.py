"""Evaluates shares of windows on the processes of `torchrun` and writes what each rank finds.

Usage: torchrun --nproc-per-node N evaluate_ranks.py FOLDER
"""

import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT))  # after what is installed, which is to be tested

import torch  # noqa: E402

from seqforge.data import PlanLoader  # noqa: E402
from seqforge.encoders import GRU, EncoderFactory  # noqa: E402
from seqforge.task import Progress  # noqa: E402
from seqforge.training.evaluation import Evaluation  # noqa: E402
from seqforge_tasks.forecasting import Forecasting  # noqa: E402
from tests.tasks.forecasting.series.panels import data_of, panel_of  # noqa: E402

CASES: dict[str, dict[str, Any]] = {
    "segments": {"mode": "segments", "head": "quantile", "conformal": True},
    "direct": {"mode": "direct", "head": "gaussian", "normalisation": "standard"},
    "recursive": {"mode": "recursive", "head": "point", "normalisation": "mean"},
    "paths": {"mode": "recursive", "head": "student_t"},
}
SIZES: dict[str, Any] = {"context": 8, "horizon": 3, "train": 0.5, "validation": 0.3, "season": 4}
BATCH = 7


def measures(name: str, rank: int = 0, world: int = 1) -> list[Any]:
    """Return what two passes find when this rank has every `world`-th window.

    The second one's intervals are corrected by the first one's calibration.
    """
    torch.manual_seed(0)
    panel = panel_of([60, 41, 30], channels=2, missing=0.1)
    data = data_of(panel, calibration=0.6, naive2=True, **SIZES)
    data.setup("fit")
    task = Forecasting(**{"segment": 4, "embedding_size": 4, "levels": [50.0, 80.0], **CASES[name]})
    task.build(EncoderFactory(partial(GRU, hidden_size=4)), data.spec())
    task.prepare(data)
    task.eval()
    loader = data.val_dataloader()["validation"]
    found: list[Any] = []
    for _ in range(2):
        evaluation = Evaluation(task)
        evaluation.begin(["validation"])
        own = range(rank, _count(loader), world)
        with torch.no_grad():
            for index, numbers in enumerate(_batches(list(own))):
                # A filler, whose number is -1, keeps the ranks in step.
                batch = loader.collate(numbers or [-1], [loader.samples[n] for n in numbers or [0]])
                evaluation.add(batch, index, 0, Progress(0, 0, 0.0))
        found.append(evaluation.finish(world))
    return [*found, task.correction.corrections.tolist()]


def _count(loader: PlanLoader[int]) -> int:
    plan = loader.plan
    return sum(len(plan.batch(0, index)) for index in range(plan.batches()))


def _batches(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[first : first + BATCH] for first in range(0, len(numbers), BATCH)] or [[]]


def main() -> None:
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    world = torch.distributed.get_world_size()
    found = {name: measures(name, rank, world) for name in CASES}
    (folder / f"{rank}.json").write_text(json.dumps(found), encoding="utf-8")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
