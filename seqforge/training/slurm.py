"""SLURM: a job that a signal has stopped asks to be queued again."""

from __future__ import annotations

import os
import subprocess
import sys

from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

PATIENCE = 60.0
"""Seconds that `scontrol` may take."""


def job_id() -> str:
    """Return this job's number, that of an array's element as "JOB_ELEMENT"; empty without SLURM.

    A shell in which a user works by hand is no job that could be queued again.
    """
    if os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive"):
        return ""
    array = os.environ.get("SLURM_ARRAY_JOB_ID", "")
    if array:
        return f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID', '0')}"
    return os.environ.get("SLURM_JOB_ID", "")


def requeue() -> None:
    """Queue this job again; without SLURM, do nothing.

    A failure is said in one line and changes nothing else: the checkpoint is there, and the job can
    be queued by hand.
    """
    job = job_id()
    if not job:
        return
    try:
        result = subprocess.run(
            ["scontrol", "requeue", job],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
        problem = "" if result.returncode == 0 else result.stderr or f"code {result.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        print(f"job {job} was not queued again: {' '.join(problem.split())}", file=sys.stderr)


def environment() -> SLURMEnvironment | None:
    """Return what the trainer must be given under SLURM; None where it is not in charge.

    With its own environment Lightning would save in the middle of a step as soon as the signal
    comes, from where no run can be resumed exactly, and queue the job again by itself.
    """
    # torchrun is used inside SLURM as well, and is then in charge.
    if TorchElasticEnvironment.detect() or not SLURMEnvironment.detect():
        return None
    return SLURMEnvironment(auto_requeue=False)
