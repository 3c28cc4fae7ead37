"""Kills training with SIGKILL at many places, resumes it, and compares it with a run never killed.

    python benchmarks/reliability.py --kills 40 --output docs/results/reliability.md

Every trial trains the same small character model (2-layer LSTM with locked dropout, carried state,
accumulation of 2 with a part window at each epoch's end, validation inside epochs, moving average
of the weights, plateau schedule, early stopping) by the real command line. It is killed at a chosen
place or after a random time, once or twice, then goes on to its end with `--run NAME`. Compared are
every value of the final checkpoint, the metric histories in CSV and TensorBoard and the samples
of each batch: bit for bit.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

CONFIG = """
model:
  encoder:
    class_path: LSTM
    init_args: {hidden_size: 16, num_layers: 2, dropout: 0.2, dropout_kind: locked}
  task: {class_path: CharGeneration, init_args: {embedding_size: 8, sample_length: 10}}
  schedule: {class_path: Plateau, init_args: {patience: 0}}
  ema: 0.9
data:
  class_path: TextFile
  init_args: {path: text.txt, seq_len: 20, batch_size: 8, validation: 0.1, num_workers: WORKERS}
trainer:
  max_epochs: 3
  accumulate_grad_batches: 2
  val_check_interval: 5
  log_every_n_steps: 1
  accelerator: cpu
checkpoint: {every_steps: 2}
early_stopping: {patience: 50}
"""

PROBE = '''
"""Writes down the samples of every batch; kills the process where KILL_AT says."""
import os, signal, threading
from pathlib import Path
import torch
from seqforge.training import atomic_io, sequence_module, previews

place, _, number = os.environ.get("KILL_AT", "").partition(":")
counts = {}

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def reach(name):
    counts[name] = counts.get(name, 0) + 1
    if name == place and counts[name] == int(number):
        die()

def before(owner, method, name):
    original = getattr(owner, method)
    def patched(self, *args, **kwargs):
        reach(name)
        return original(self, *args, **kwargs)
    setattr(owner, method, patched)

def after(owner, method, name):
    original = getattr(owner, method)
    def patched(self, *args, **kwargs):
        result = original(self, *args, **kwargs)
        reach(name)
        return result
    setattr(owner, method, patched)

Module = sequence_module.SequenceModule
take_step = Module.training_step

def training_step(self, batch, batch_idx):
    with open(os.environ["IDS_FILE"], "a") as file:
        file.write(f"{self.trainer.current_epoch} {batch_idx} {batch.ids.tolist()}\\n")
    if batch_idx % 2:
        reach("accumulation")
    result = take_step(self, batch, batch_idx)
    reach("step")
    return result

Module.training_step = training_step
before(Module, "on_before_optimizer_step", "optimiser")
after(Module, "optimizer_step", "stepped")
before(Module, "validation_step", "validation")
before(Module, "on_validation_epoch_end", "validation end")
before(previews.Samples, "on_train_epoch_end", "epoch edge")
after(previews.Samples, "on_train_epoch_end", "epoch edge after")

save = torch.save
def half_save(obj, file):
    counts["write"] = counts.get("write", 0) + 1
    if place == "write" and counts["write"] == int(number):
        file.write(b"PK" + b"0" * 1000)
        file.flush()
        die()
    save(obj, file)
    reach("written")
atomic_io.torch.save = half_save
after(atomic_io.AtomicCheckpointIO, "save_checkpoint", "renamed")
if place == "time":
    threading.Timer(float(number), die).start()
'''

PLACES = {
    "time": None,
    "step": 29,
    "accumulation": 14,
    "optimiser": 15,
    "stepped": 15,
    "validation": 6,
    "validation end": 4,
    "write": 9,
    "written": 9,
    "renamed": 9,
    "epoch edge": 3,
    "epoch edge after": 3,
}
"""Where a run can be killed, with how often a whole run comes there at least."""


@dataclass
class Trial:
    """One run that was killed and went on.

    Attributes:
        name: The run's name.
        kills: Where it was killed, as PLACE:COUNT.
        workers: Data loading processes.
        differences: What differs from the run never killed; empty if nothing does.
    """

    name: str
    kills: list[str]
    workers: int
    differences: list[str] = field(default_factory=list)


class Bench:
    """A folder in which runs are made and compared.

    Args:
        folder: An empty folder.
        workers: Data loading processes.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        self.workers = workers
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "text.txt").write_text("\n".join(topics.values())[:2600], encoding="utf-8")
        (folder / "config.yaml").write_text(CONFIG.replace("WORKERS", str(workers)))
        (folder / "kill_probe.py").write_text(PROBE)

    def run(self, name: str, kill_at: str = "") -> tuple[int, str]:
        """Start or go on with a run; return its exit code and what it wrote to stderr."""
        environment = os.environ | {
            "KILL_AT": kill_at,
            "IDS_FILE": str(self.folder / f"{name}.ids"),
            "SEQFORGE_PLUGINS": "kill_probe",
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "seqforge", "fit", "--config", "config.yaml"]
        result = subprocess.run(
            [*command, "--run", name],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return result.returncode, result.stderr

    def compare(self, name: str, reference: str) -> list[str]:
        """Return what differs between two finished runs."""
        parts = {
            "checkpoint": self._checkpoint,
            "metrics.csv": self._csv,
            "TensorBoard": self._tensorboard,
            "samples": self._ids,
        }
        found = []
        for part, read in parts.items():
            ours, theirs = read(name), read(reference)
            keys = [key for key in {**ours, **theirs} if not _same(ours.get(key), theirs.get(key))]
            found += [f"{part} {key}" for key in keys]
        return found

    def _checkpoint(self, name: str) -> dict[str, Any]:
        file = self.folder / "runs" / name / "checkpoints" / "last.ckpt"
        return dict(_flat(torch.load(file, weights_only=True)))

    def _csv(self, name: str) -> dict[str, Any]:
        lines = (self.folder / "runs" / name / "logs" / "metrics.csv").read_text().splitlines()
        return {f"row {number}": line for number, line in enumerate(lines)}

    def _tensorboard(self, name: str) -> dict[str, Any]:
        events = EventAccumulator(str(self.folder / "runs" / name / "logs"))
        events.Reload()
        return {
            f"{tag} {number}": (event.step, event.value)
            for tag in events.Tags()["scalars"]
            for number, event in enumerate(events.Scalars(tag))
        }

    def _ids(self, name: str) -> dict[str, Any]:
        lines = (self.folder / f"{name}.ids").read_text().splitlines()
        return {" ".join(line.split(" ", 2)[:2]): line for line in lines}


def trial(bench: Bench, name: str, kills: list[str], reference: str) -> Trial:
    """Make a run, kill it at each of the places, let it finish, and compare it."""
    result = Trial(name, kills, bench.workers)
    for place in kills:
        code, _ = bench.run(name, place)
        if code not in (-9, 0):
            result.differences.append(f"exit code {code} instead of a kill at {place}")
    code, errors = bench.run(name)
    if code != 0:
        result.differences.append(f"the resumed run ended with {code}: {errors[-300:]}")
        return result
    if "arning" in errors:
        result.differences.append(f"a warning: {errors[:300]}")
    result.differences += bench.compare(name, reference)
    return result


def choose(generator: random.Random, number: int, seconds: float) -> list[str]:
    """Return where trial `number` is killed: each place in turn, every fourth trial twice."""
    names = list(PLACES)

    def place(index: int) -> str:
        name = names[index % len(names)]
        most = PLACES[name]
        if most is None:
            return f"{name}:{generator.uniform(0.2, seconds):.3f}"
        return f"{name}:{generator.randint(1, most)}"

    first = place(number)
    return [first, place(generator.randrange(len(names)))] if number % 4 == 3 else [first]


def run_trials(folder: Path, kills: int, workers: list[int], seed: int) -> Iterator[Trial]:
    """Yield the trials, sharing them out over numbers of workers."""
    generator = random.Random(seed)
    benches = [Bench(folder / f"workers{count}", count) for count in workers]
    seconds = 0.0
    for bench in benches:
        started = time.monotonic()
        code, errors = bench.run("reference")
        seconds = time.monotonic() - started
        if code != 0:
            raise RuntimeError(f"the reference run failed: {errors}")
    done = number = 0
    while done < kills:
        places = choose(generator, number, seconds)
        yield trial(benches[number % len(benches)], f"trial{number:03d}", places, "reference")
        done, number = done + len(places), number + 1


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _flat(child, f"{prefix}.{key}")
    elif isinstance(value, list | tuple):
        for number, child in enumerate(value):
            yield from _flat(child, f"{prefix}[{number}]")
    else:
        yield prefix, value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(one, other)
    return bool(one == other)


def report(trials: list[Trial], seconds: float) -> str:
    """Return the results as a page."""
    kills = sum(len(each.kills) for each in trials)
    bad = [each for each in trials if each.differences]
    lines = [
        "# Reliability",
        "",
        f"{kills} kills with SIGKILL in {len(trials)} runs; {len(trials) - len(bad)} runs ended "
        "bit for bit like the run that was never killed: every value of the final checkpoint "
        "(weights, optimiser, schedule, moving average, generators, counters, early stopping), the "
        "histories in CSV and TensorBoard, the samples of every batch; and without a warning.",
        "",
        f"Command: `python benchmarks/reliability.py --kills {kills}`. {seconds / 60:.0f} minutes, "
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"torch {torch.__version__}.",
        "",
        "| run | workers | killed at | differences |",
        "|---|---|---|---|",
    ]
    for each in trials:
        found = "; ".join(each.differences[:3]) or "none"
        lines.append(f"| {each.name} | {each.workers} | {', then '.join(each.kills)} | {found} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the trials and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("runs/reliability"))
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    started, trials = time.monotonic(), []
    for each in run_trials(arguments.folder, arguments.kills, arguments.workers, arguments.seed):
        trials.append(each)
        print(each.name, each.kills, each.differences or "equal", flush=True)
    page = report(trials, time.monotonic() - started)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(page, encoding="utf-8")
    return int(any(each.differences for each in trials))


if __name__ == "__main__":
    sys.exit(main())
