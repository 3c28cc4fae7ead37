"""Starts processes, the whole family of which ends in time, and a probe that strikes them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from tests.cli.tiny import text

PATIENCE = 60.0
TORCHRUN = (sys.executable, "-m", "torch.distributed.run")
SEQFORGE = (sys.executable, "-m", "seqforge")

CONFIG = """
model:
  encoder: {class_path: LSTM, init_args: {hidden_size: 8}}
  task: {class_path: CharGeneration, init_args: {embedding_size: 4, sample_length: 3}}
  optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.5}}
data: {class_path: TextFile, init_args: {path: small.txt, seq_len: 10, batch_size: 7}}
trainer:
  max_epochs: 2
  accumulate_grad_batches: 2
  accelerator: cpu
  devices: 1
  precision: 64-true
  log_every_n_steps: 1
checkpoint: {every_steps: 2}
"""

PROBE = '''
"""Writes down every batch; strikes WHO at batch number WHEN, once: see `Strike`."""
import os, signal
from pathlib import Path
from seqforge.training import sequence_module

take_step = sequence_module.SequenceModule.training_step
when, who, name = (os.environ.get("STRIKE") or "-1 - -").split()
counted = {"batches": -1}

def strike(rank):
    mark = Path(os.environ["SEEN"] + f".struck-{when}-{rank}")
    if mark.exists():
        return
    mark.touch()
    number = getattr(signal, name)
    if who == "launcher":
        os.kill(os.getppid(), number)
    else:
        os.kill(os.getpid(), number)

def training_step(self, batch, batch_idx):
    trainer = self.trainer
    rank = trainer.global_rank
    place = trainer.current_epoch * trainer.num_training_batches + batch_idx
    with open(os.environ["SEEN"] + f".{rank}", "a") as file:
        file.write(f"{place}\\t{trainer.world_size}\\t{batch.ids.tolist()}\\n")
    if place == int(when) and (who in (str(rank), "all") or who == "launcher" and rank == 0):
        strike(rank)
    return take_step(self, batch, batch_idx)

sequence_module.SequenceModule.training_step = training_step
'''


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def write_inputs(folder: Path) -> None:
    """Write text, configuration and probe into a folder."""
    (folder / "small.txt").write_text(text(), encoding="utf-8")
    (folder / "run.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "probe.py").write_text(PROBE, encoding="utf-8")


def environment(folder: Path, name: str, strike: str = "") -> dict[str, str]:
    """Return the variables of a run.

    Args:
        folder: Where the inputs lie.
        name: What the record of its batches is called.
        strike: "BATCH WHO SIGNAL": at this batch since the start, WHO gets the signal; WHO is a
            rank, "all" ranks or the "launcher".
    """
    return os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(folder),
        "SEQFORGE_PLUGINS": "probe",
        "SEEN": str(folder / f"{name}.seen"),
        "STRIKE": strike,
        "COLUMNS": "200",
    }


def fit(name: str, *options: str) -> list[str]:
    """Return the arguments that train a run of this name."""
    return ["fit", "--config", "run.yaml", "--run", name, *options]


def start(
    command: Sequence[str], folder: Path, variables: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start a command; all that it starts in turn is known by its variable SEEN."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], mark: str, patience: float = PATIENCE) -> Ended:
    """Wait for a command and require that nothing of its family is left.

    Args:
        process: The command.
        mark: Its variable SEEN.
        patience: Seconds.
    """
    try:
        out, err = process.communicate(timeout=patience)
        deadline = time.monotonic() + 10.0
        while family(mark) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not family(mark), "processes are left behind"
    except subprocess.TimeoutExpired:
        _kill_family(mark)
        out, err = process.communicate()
        raise AssertionError(f"it hangs:\n{out[-2000:]}\n{err[-4000:]}") from None
    finally:
        _kill_family(mark)
    return Ended(process.returncode, out, err)


def run(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    patience: float = PATIENCE,
) -> Ended:
    """Run a command to its end, with a time limit."""
    return finish(start(command, folder, variables), variables["SEEN"], patience)


def family(mark: str) -> list[int]:
    """Return the living processes with this variable SEEN, whatever session they are in."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"SEEN={mark}\0".encode() in file.read_bytes():  # a zombie has none
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found


def _kill_family(mark: str) -> None:
    for number in family(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def weights(folder: Path, name: str) -> dict[str, Tensor]:
    """Return the weights of a run's last checkpoint."""
    file = folder / "runs" / name / "checkpoints" / "last.ckpt"
    state: dict[str, Tensor] = torch.load(file, weights_only=True)["state_dict"]
    return state


def require_same(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> None:
    """Require that two sets of weights agree within what float64 loses in another order."""
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=0, atol=1e-10, msg=name)


def seen(folder: Path, name: str) -> dict[int, list[tuple[int, list[int]]]]:
    """Return what was trained: for each batch, in order of ranks, world size and sample numbers.

    A batch that was taken again after a kill counts as it was taken last.
    """
    found: dict[int, dict[int, tuple[int, list[int]]]] = {}
    for file in sorted(folder.glob(f"{name}.seen.[0-9]")):
        rank = int(file.suffix[1:])
        for line in file.read_text(encoding="utf-8").splitlines():
            place, world, numbers = line.split("\t")
            ids = [int(number) for number in re.findall(r"-?\d+", numbers)]
            found.setdefault(int(place), {})[rank] = (int(world), ids)
    return {place: [ranks[rank] for rank in sorted(ranks)] for place, ranks in found.items()}
