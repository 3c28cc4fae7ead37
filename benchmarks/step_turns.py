"""Train several systems in turn, a few seconds each, and compare their steps.

Each system is a process that trains from the beginning and writes the log of
`peers/step_lines.py`. All are started, one after the other, and stopped (SIGSTOP) as soon as they
are warm. Then they run in rounds: each goes on for a while, alone, and is stopped again. So the
systems of a round are timed within a minute or two of each other, whatever they take to start. A
step that was stopped in its middle is not counted. Memory is the largest that the process has had
resident (VmHWM), libraries and data included.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
SMOOTHED = 10
"""Batches over which the loss is averaged."""
PATIENCE = 400.0
"""Seconds in which a system must have taken its first steps."""
POLL = 0.05


@dataclass(frozen=True)
class System:
    """A program that trains.

    Attributes:
        name: In the table.
        words: Its command, given the folder in which it runs; it writes `steps.jsonl` there.
    """

    name: str
    words: Callable[[Path], Sequence[object]]

    @property
    def slug(self) -> str:
        """The name as a file is called."""
        return "".join(sign if sign.isalnum() else "-" for sign in self.name.lower())


@dataclass(frozen=True)
class Step:
    """A training step.

    Attributes:
        end: Second of the monotonic clock.
        items: What it has learnt from.
        loss: Of its batch.
    """

    end: float
    items: int
    loss: float


@dataclass
class Window:
    """The whole steps of a system while it was its turn.

    Attributes:
        step: Median seconds of a step.
        items_per_second: Over all of them.
        steps: Their number.
    """

    step: float
    items_per_second: float
    steps: int


@dataclass
class Measured:
    """What rounds have found of a system.

    Attributes:
        name: Of the system.
        first_step: Seconds from the start of the process to the end of its first step.
        parameters: Numbers that it trains.
        versions: Of its libraries.
        windows: One for each round.
        peak: Largest resident memory in MiB.
    """

    name: str
    first_step: float
    parameters: int
    versions: dict[str, str]
    windows: list[Window] = field(default_factory=list)
    peak: float = 0.0


class Training:
    """A system that runs, in a process group of its own.

    Args:
        system: Which.
        folder: Made, if it is not there; log and output go there.
        threads: Of whatever library asks OMP_NUM_THREADS.

    Raises:
        SystemExit: When anything is asked of a process that has ended.
    """

    def __init__(self, system: System, folder: Path, threads: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.system = system
        self._log, self._output = folder / "steps.jsonl", folder / "output.txt"
        self._log.unlink(missing_ok=True)
        self._read = 0
        self.steps: list[Step] = []
        self.head: dict[str, Any] = {}
        self.started = time.perf_counter()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [str(word) for word in system.words(folder)],
                cwd=folder,
                env=os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def pause(self) -> None:
        """Stop the process where it is."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def wait(self, until: Callable[[], bool], limit: float) -> bool:
        """Read the log until something is so; return whether it came to be.

        Args:
            until: Asked after each reading.
            limit: Seconds to wait at most.
        """
        end = time.perf_counter() + limit
        while not until():
            if time.perf_counter() > end:
                return False
            time.sleep(POLL)
            self._follow()
        return True

    def window(self, seconds: float, at_least: int) -> Window:
        """Let it train for a while; return its whole steps.

        Args:
            seconds: So long, and then to the end of the step.
            at_least: Whole steps, however long they take.
        """
        first, began = len(self.steps), time.perf_counter()
        self.resume()
        # One more: the first one ends a step that was stopped.
        done = self.wait(
            lambda: len(self.steps) > first + at_least and self.steps[-1].end - began >= seconds,
            PATIENCE,
        )
        self.pause()
        if not done:
            sys.exit(f"{self.system.name} took {at_least} steps in no {PATIENCE:g} seconds")
        ends = self.steps[first:]
        lengths = [after.end - before.end for before, after in pairwise(ends)]
        rate = sum(step.items for step in ends[1:]) / sum(lengths)
        return Window(statistics.median(lengths), rate, len(lengths))

    def smoothed_loss(self) -> float:
        """Return the mean loss of the last batches; infinite before there are enough."""
        last = self.steps[-SMOOTHED:]
        return (
            statistics.fmean(each.loss for each in last) if len(last) == SMOOTHED else float("inf")
        )

    def peak(self) -> float:
        """Return the largest resident memory so far, in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        (line,) = (each for each in status.splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def _follow(self) -> None:
        """Read what was added to the log."""
        if self._process.poll() is not None:
            sys.exit(f"{self.system.name} ended by itself, see {self._output}")
        if not self._log.is_file():
            return
        with self._log.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            values = json.loads(line)
            if "end" in values:
                self.steps.append(Step(**values))
            else:
                self.head = values


def in_turn(
    systems: Sequence[System],
    folder: Path,
    *,
    threads: int,
    warm: int,
    rounds: int,
    seconds: float,
    at_least: int = 2,
) -> list[dict[str, Any]]:
    """Train all systems in turn.

    Args:
        systems: In the order of their turns.
        folder: For logs.
        threads: Of each.
        warm: Steps that each takes at first, not counted.
        rounds: How often each gets its turn.
        seconds: Of a turn, at least.
        at_least: Whole steps of a turn.

    Returns:
        `Measured` of each system, as plain dictionaries.
    """
    trainings: list[Training] = []
    results: list[Measured] = []
    try:
        for system in systems:
            training = Training(system, folder / system.slug, threads)
            trainings.append(training)
            results.append(_warmed(training, warm))
            training.pause()
        for number in range(1, rounds + 1):
            for training, result in zip(trainings, results, strict=True):
                result.windows.append(training.window(seconds, at_least))
                result.peak = training.peak()
                step = 1e3 * result.windows[-1].step
                print(f"round {number}, {result.name}: {step:.1f} ms a step", flush=True)
    finally:
        for training in trainings:
            training.__exit__()
    return [asdict(result) for result in results]


def to_loss(
    system: System, folder: Path, *, threads: int, target: float, limit: float
) -> dict[str, Any]:
    """Train one system alone until its smoothed loss is low enough.

    Args:
        system: Which.
        folder: For its log.
        threads: Of the system.
        target: Loss to be reached, as the mean of `SMOOTHED` batches.
        limit: Seconds from the start of the process after which it is given up.

    Returns:
        `name`, `target`, whether it was `reached`, `seconds` from the start of the process to the
        end of the last step, `first_step` from there to the end of the first one, `steps`, the
        smoothed `loss`, and `peak` in MiB.
    """
    with Training(system, folder / system.slug, threads) as training:
        reached = training.wait(lambda: training.smoothed_loss() <= target, limit)
        peak = training.peak()
        if not training.steps:
            sys.exit(f"{system.name} took no step in {limit:g} seconds")
        result = {
            "name": system.name,
            "target": target,
            "reached": reached,
            "seconds": training.steps[-1].end - training.started,
            "first_step": training.steps[0].end - training.started,
            "steps": len(training.steps),
            "loss": training.smoothed_loss(),
            "peak": peak,
        }
    print(result, flush=True)
    return result


def _warmed(training: Training, warm: int) -> Measured:
    """Wait for the first steps."""
    if not training.wait(lambda: len(training.steps) > warm, PATIENCE):
        sys.exit(f"{training.system.name} took no {warm + 1} steps in {PATIENCE:g} seconds")
    first = training.steps[0].end - training.started
    head = training.head
    result = Measured(training.system.name, first, head["parameters"], head["versions"])
    result.peak = training.peak()
    print(f"{result.name}: first step after {first:.1f} s", flush=True)
    return result
