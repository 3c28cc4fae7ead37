"""All processes of a run hear of the first one's decision."""

import threading
from pathlib import Path

import pytest

from seqforge.cli import shared_run
from seqforge.cli.runs import Run
from seqforge.errors import UserError

RUN = Run(Path("runs/mine"), "runs/mine/checkpoints/last.ckpt", note="going on", trial=True)


def _never() -> Run:
    raise AssertionError("another process decides")


def test_a_decision_survives_as_text() -> None:
    assert shared_run.loads(shared_run.dumps(RUN)) == RUN


def test_a_single_process_decides(tmp_path: Path) -> None:
    assert shared_run.shared(tmp_path, lambda: RUN) is RUN


def test_a_started_process_inherits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(shared_run.SHARED_VARIABLE, shared_run.dumps(RUN))

    assert shared_run.shared(tmp_path, _never) == RUN


def test_slurm_processes_share_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_PROCID", "1")
    heard: list[Run] = []
    second = threading.Thread(target=lambda: heard.append(shared_run.shared(tmp_path, _never)))
    second.start()
    part = tmp_path / "part"
    part.write_text(shared_run.dumps(RUN))
    part.replace(tmp_path / ".slurm-7-0-0.json")
    second.join(timeout=20)

    assert heard == [RUN]
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert shared_run.shared(tmp_path, lambda: RUN) is RUN


def test_a_first_process_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_PROCID", "1")

    with pytest.raises(UserError, match="did not choose a run folder within 0 s"):
        shared_run._by_file(tmp_path, _never, patience=0.0)
