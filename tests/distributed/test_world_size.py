"""A run means the same on one process and on many, also when their number changes on the way."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from tests.distributed import launches, ragged

SCRIPT = Path(__file__).with_name("train_ranks.py")
BATCHES = 15
"""Batches in an epoch of the run by the command line."""

Found = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Found]:
    """What one process finds."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["pytest"])
        torch.set_num_threads(1)
        return folder, {case: ragged.train(folder, case) for case in ragged.CASES}


def test_accumulation_changes_nothing(alone: tuple[Path, Found]) -> None:
    folder, found = alone
    losses = [ragged.logged(folder, case, "train/loss") for case in ragged.CASES]
    norms = ragged.logged(folder, "whole", "train/gradient_norm")

    launches.require_same(found["accumulated"]["weights"], found["whole"]["weights"])
    assert found["whole"]["steps"] == ragged.EPOCHS * ragged.STEPS_IN_EPOCH
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert len(losses[0]) == found["whole"]["steps"]
    assert min(norms) > 0.05  # clipping was active


@pytest.mark.distributed
@pytest.mark.timeout(90)
@pytest.mark.parametrize("world", [2, 3])
def test_ranks_change_nothing(tmp_path: Path, alone: tuple[Path, Found], world: int) -> None:
    folder, found = alone
    expected = found["whole"]
    command = [*launches.TORCHRUN, "--nproc-per-node", str(world), str(SCRIPT), str(tmp_path)]
    ended = launches.run(command, tmp_path, launches.environment(tmp_path, "ranks"))
    assert ended.code == 0, ended.err[-3000:]

    for case, (_, accumulate) in ragged.CASES.items():
        ranks = [
            torch.load(tmp_path / f"{case}-{rank}.pt", weights_only=True) for rank in range(world)
        ]
        for rank in ranks:
            launches.require_same(rank["weights"], expected["weights"])
            for name, value in rank["weights"].items():
                assert torch.equal(value, ranks[0]["weights"][name]), f"ranks differ in {name}"
            assert rank["metrics"] == pytest.approx(expected["metrics"], abs=1e-6)
            assert rank["reductions"] == _reductions(accumulate)
        for column in ("train/loss", "train/gradient_norm", "val/loss", "val/root", "val/error"):
            ours, theirs = (ragged.logged(each, case, column) for each in (tmp_path, folder))
            assert ours == pytest.approx(theirs, abs=1e-6), column
            assert len(ours) >= ragged.EPOCHS
        assert _predictions(tmp_path / case) == _predictions(folder / case)
        assert [number for number, _ in _predictions(tmp_path / case)] == list(range(ragged.ROWS))


def _reductions(accumulate: int) -> list[int]:
    """Once (they fit one bucket) in the last batch of an accumulation, in no other."""
    batches = -(-ragged.ROWS // ragged.CASES["whole"][0]) if accumulate == 1 else 7
    epoch = [int((batch + 1) % accumulate == 0 or batch + 1 == batches) for batch in range(batches)]
    return epoch * ragged.EPOCHS


def _predictions(folder: Path) -> list[tuple[int, float]]:
    lines = (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [(row["id"], round(row["next"], 9)) for row in rows]


# -- the number of processes changes between the parts of one run ----------------------------------


@pytest.mark.distributed
@pytest.mark.timeout(150)
def test_four_ranks_go_on_as_two_and_as_one(tmp_path: Path) -> None:
    launches.write_inputs(tmp_path)
    reference = _fit(tmp_path, "reference", "1", "")
    assert reference.code == 0, reference.err
    assert "warn" not in reference.err.lower(), reference.err

    # In the middle of an accumulation, with a step that was taken after the last checkpoint.
    assert _fit(tmp_path, "changing", "4", "9 all SIGKILL").code == -9
    assert _fit(tmp_path, "changing", "2", f"{BATCHES + 5} all SIGKILL").code == -9
    kept = tmp_path / "two.ckpt"
    shutil.copy(tmp_path / "runs/changing/checkpoints/last.ckpt", kept)
    last = _fit(tmp_path, "changing", "1", "")
    assert last.code == 0, last.err
    assert "warn" not in last.err.lower(), last.err

    saved = torch.load(kept, weights_only=True)
    assert [len(leaf) for leaf in _leaves(saved["carry"])] == [7, 7]  # the lanes of all ranks
    launches.require_same(
        launches.weights(tmp_path, "changing"), launches.weights(tmp_path, "reference")
    )
    _require_same_samples(tmp_path)
    ours, theirs = (
        pd.read_csv(tmp_path / "runs" / name / "logs" / "metrics.csv")
        for name in ("changing", "reference")
    )
    pd.testing.assert_frame_equal(ours, theirs, rtol=0, atol=1e-6)


def _require_same_samples(folder: Path) -> None:
    """Require that every batch held what it holds in a run that never changed."""
    changing, reference = (launches.seen(folder, name) for name in ("changing", "reference"))
    assert sorted(changing) == sorted(reference) == list(range(2 * BATCHES))
    worlds = set()
    for place, ranks in changing.items():
        world = ranks[0][0]  # that of the last start: every start has a first rank
        parts = [numbers for its_world, numbers in ranks if its_world == world]
        assert [number for part in parts for number in part] == reference[place][0][1], place
        worlds.add(world)
    assert worlds == {1, 2, 4}


def _fit(folder: Path, name: str, devices: str, strike: str) -> launches.Ended:
    command = [*launches.SEQFORGE, *launches.fit(name, "--trainer.devices", devices)]
    return launches.run(command, folder, launches.environment(folder, name, strike))


def _leaves(plain: Any) -> list[torch.Tensor]:
    if isinstance(plain, torch.Tensor):
        return [plain]
    return [leaf for child in plain or () for leaf in _leaves(child)]
