"""One decision on the run folder for all processes of a distributed run."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from seqforge.cli import elastic
from seqforge.cli.runs import Run
from seqforge.errors import UserError

SHARED_VARIABLE = "SEQFORGE_RUN"
"""Hands the decision of the first process down to those that it starts."""

_questions = itertools.count()


def shared(root: Path, make: Callable[[], Run]) -> Run:
    """Let the first process of a distributed run decide, and tell all the others.

    Processes that Lightning starts inherit the decision; torchrun's processes ask its store;
    SLURM's read a file named after their job step.

    Args:
        root: Folder of all runs.
        make: Decides; called in one process only.
    """
    inherited = os.environ.get(SHARED_VARIABLE)
    if inherited:
        return loads(inherited)
    if elastic.is_launched():
        return _by_store(make)
    if int(os.environ.get("SLURM_NTASKS", "1")) > 1 and "SLURM_PROCID" in os.environ:
        return _by_file(root, make)
    return make()


def dumps(run: Run) -> str:
    """Return a decision as text, for `SHARED_VARIABLE`."""
    return json.dumps({**asdict(run), "folder": str(run.folder)})


def loads(text: str) -> Run:
    """Return the decision that `dumps` wrote."""
    values = json.loads(text)
    return Run(**{**values, "folder": Path(values["folder"])})


def _by_store(make: Callable[[], Run]) -> Run:
    store = elastic.own_store()
    # A process may ask more than once: every one of them then asks as often.
    key = f"seqforge/run/{next(_questions)}"
    if os.environ["RANK"] == "0":
        store.set(key, dumps(make()))
    return loads(store.get(key).decode())


def _by_file(root: Path, make: Callable[[], Run], patience: float = 300.0) -> Run:
    step = [os.environ.get(f"SLURM_{name}", "0") for name in ("JOB_ID", "STEP_ID", "RESTART_COUNT")]
    file = root / f".slurm-{'-'.join(step)}.json"
    if os.environ["SLURM_PROCID"] == "0":
        run = make()
        part = file.with_suffix(".part")
        part.write_text(dumps(run), encoding="utf-8")
        part.replace(file)
        return run
    deadline = time.monotonic() + patience
    while not file.exists():
        if time.monotonic() > deadline:
            raise UserError(
                f"the first process did not choose a run folder within {patience:.0f} s",
                where=str(file),
                todo="look at its output; all nodes must share this folder",
            )
        time.sleep(0.1)
    return loads(file.read_text(encoding="utf-8"))
