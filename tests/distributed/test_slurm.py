"""Under SLURM a job that is warned of its end leaves a checkpoint and is queued again, once."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.cli.main import main
from seqforge.errors import RESUME_ME
from seqforge.training import SequenceModule, slurm
from tests.distributed import launches

SCONTROL = """#!/bin/sh
echo "$*" >> "{folder}/requeued"
cp "$(ls -t "{folder}"/runs/*/checkpoints/last.ckpt | head -n 1)" "{folder}/then.ckpt"
{more}
"""
VARIABLES = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NAME": "train",
    "SLURM_NTASKS": "1",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
}
FIT = ["fit", "--config", "run.yaml", "--resume", "auto"]
Signal = Callable[[signal.Signals], None]
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job on a machine whose `scontrol` writes down how it is called."""
    launches.write_inputs(tmp_path)
    _install_scontrol(tmp_path)
    for name in [name for name in os.environ if name.startswith("SLURM")]:
        monkeypatch.delenv(name)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    # Variables that Lightning sets for a job are put back like ours.
    for name in ("MASTER_ADDR", "MASTER_PORT", "CUBLAS_WORKSPACE_CONFIG"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    return tmp_path


def _install_scontrol(folder: Path, more: str = "exit 0") -> None:
    file = folder / "bin" / "scontrol"
    file.parent.mkdir(exist_ok=True)
    file.write_text(SCONTROL.format(folder=folder, more=more), encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Signal:
    """Send a signal in the middle of the third optimiser step, once."""
    original = SequenceModule.training_step

    def arrange(number: signal.Signals) -> None:
        sent: list[int] = []

        def training_step(self: SequenceModule, batch: Any, batch_idx: int) -> torch.Tensor:
            if batch_idx == 4 and not sent:
                sent.append(1)
                os.kill(os.getpid(), number)
            return original(self, batch, batch_idx)

        monkeypatch.setattr(SequenceModule, "training_step", training_step)

    return arrange


def requeued(folder: Path) -> list[str]:
    file = folder / "requeued"
    return file.read_text().splitlines() if file.exists() else []


def test_a_warned_job_is_queued_again_and_goes_on(job: Path, send: Signal, capsys: Output) -> None:
    assert main([*FIT[:3], "--run", "whole"]) == 0
    send(signal.SIGUSR1)

    assert main(FIT) == RESUME_ME
    assert requeued(job) == ["requeue 4711"]
    saved = torch.load(job / "then.ckpt", weights_only=True)
    assert saved["global_step"] == 3  # the step in which the signal came was finished and saved
    assert "stopped by SIGUSR1" in capsys.readouterr().out
    assert main(FIT) == 0
    assert requeued(job) == ["requeue 4711"]
    (name,) = {folder.name for folder in (job / "runs").iterdir()} - {"cache", "whole"}
    launches.require_same(launches.weights(job, name), launches.weights(job, "whole"))
    # Lightning's own handler would have left a checkpoint of another kind.
    assert not list(job.rglob("hpc_ckpt*"))


def test_a_cancelled_job_is_queued_again_unless_only_warnings_count(
    job: Path, send: Signal
) -> None:
    send(signal.SIGTERM)
    assert main([*FIT, "--checkpoint.requeue", "warning"]) == RESUME_ME
    assert requeued(job) == []
    assert len(list(job.glob("runs/*/checkpoints/last.ckpt"))) == 1

    send(signal.SIGTERM)
    assert main(FIT) == RESUME_ME
    assert len(requeued(job)) == 1


def test_a_failing_scontrol_is_said_in_one_line(job: Path, send: Signal, capsys: Output) -> None:
    _install_scontrol(job, "echo 'slurm_load_jobs error:\nInvalid job id' >&2; exit 1")
    send(signal.SIGUSR1)

    assert main(FIT) == RESUME_ME
    assert capsys.readouterr().err.splitlines() == [
        "job 4711 was not queued again: slurm_load_jobs error: Invalid job id"
    ]
    assert len(list(job.glob("runs/*/checkpoints/last.ckpt"))) == 1


def test_without_slurm_nothing_is_called(
    job: Path, send: Signal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name)
    send(signal.SIGUSR1)

    assert main(FIT) == RESUME_ME
    assert requeued(job) == []
    assert slurm.environment() is None


def test_which_job(job: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    environment = slurm.environment()
    assert environment is not None
    assert environment.auto_requeue is False
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert slurm.job_id() == "12_3"
    (job / "bin" / "scontrol").unlink()
    slurm.requeue()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("job 12_3 was not queued again: ")
    assert "scontrol" in line
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    assert slurm.environment() is None
    monkeypatch.setenv("SLURM_JOB_NAME", "interactive")
    assert slurm.job_id() == ""


@pytest.mark.distributed
@pytest.mark.timeout(90)
def test_the_first_of_two_processes_queues_the_job_again(job: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*launches.SEQFORGE, *launches.fit("pair", "--trainer.devices", "2")]
    processes = []
    for rank in ("0", "1"):
        variables = launches.environment(job, "pair", "4 1 SIGUSR1") | {
            "SLURM_NTASKS": "2",
            "SLURM_NTASKS_PER_NODE": "2",
            "SLURM_PROCID": rank,
            "SLURM_LOCALID": rank,
            "SLURM_NODELIST": "localhost",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        processes.append(launches.start(command, job, variables))
    ended = [launches.finish(each, variables["SEEN"]) for each in processes]

    assert [each.code for each in ended] == [RESUME_ME, RESUME_ME], ended
    assert requeued(job) == ["requeue 4711"]
    assert [file.parent.name for file in (job / "runs").glob("*/config.yaml")] == ["pair"]
    assert torch.load(job / "then.ckpt", weights_only=True)["global_step"] == 3
