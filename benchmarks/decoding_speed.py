"""Time the beam search of translation (5 wide) and captioning (3 wide).

    export SEQFORGE_DATA=FOLDER    # multi30k/ and flickr8k/ in it; without, texts are made up
    python -m benchmarks.decoding_speed
    git archive COMMIT seqforge tasks | tar -x -C OLDER
    python -m benchmarks.decoding_speed --before OLDER

Networks of the default sizes with LSTMs of 512 are trained for a while, then the same sources are
searched for in five ways, in turn: by a plain beam search, a sentence at a time
(`peers/plain_beam.py`), by `beam_search` and by `greedy_search`, both one source and `--together`
at a time; all with the same network and step function, from the encoding of the source on. With a
length penalty of 0 and of 1. A ratio is taken round by round, its median reported with its range.
The step's share is the time within the network's step. `--before`: `beam_search` of this package
against that of an older one, in processes of their own, in turn. `--quick` shows that it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.decoding_networks import Job, Workshop
from benchmarks.peers.plain_beam import plain_beam
from seqforge.cli.memory import keep_memory
from seqforge.cli.quiet import quiet_libraries
from seqforge.decoding import StepOut, beam_search, greedy_search
from seqforge.state import State

PENALTIES = (0.0, 1.0)
ROOT = Path(__file__).resolve().parent.parent


class ClockedStep:
    """A step function that notes how long it takes.

    Args:
        job: Whose step it is.
    """

    def __init__(self, job: Job) -> None:
        self._step = job.step
        self.seconds = 0.0
        self.rows = 0

    def __call__(self, tokens: Tensor, state: State) -> StepOut:
        """Take a step."""
        started = time.perf_counter()
        out = self._step(tokens, state)
        self.seconds += time.perf_counter() - started
        self.rows += len(tokens)
        return out


@torch.inference_mode()
def beam(job: Job, penalty: float, together: int, clock: ClockedStep | None = None) -> list[float]:
    """Search for all sources with our beam; return the score of each best hypothesis."""
    scores = []
    for numbers in _batches(job.count, together):
        begun = job.begin(numbers)
        found = beam_search(
            clock or job.step,
            begun.first,
            begun.state,
            end=job.end,
            max_length=begun.maxima,
            beam_size=job.width,
            length_penalty=penalty,
            banned=job.banned,
        )
        scores += [hypotheses[0].score for hypotheses in found]
    return scores


@torch.inference_mode()
def greedy(job: Job, together: int) -> None:
    """Search for all sources with our greedy search."""
    for numbers in _batches(job.count, together):
        first, state, maxima = job.begin(numbers)
        greedy_search(job.step, first, state, end=job.end, max_length=maxima, banned=job.banned)


@torch.inference_mode()
def plain(job: Job, penalty: float) -> list[float]:
    """Search for all sources as tutorials do; return the score of each hypothesis."""
    scores = []
    for number in range(job.count):
        _, state, maxima = job.begin([number])
        found = plain_beam(
            job.step,
            state,
            k=job.width,
            begin=job.start,
            end=job.end,
            banned=job.banned,
            max_length=int(maxima),
            penalty=penalty,
        )
        scores.append(found.score)
    return scores


def _batches(count: int, together: int) -> Iterator[Sequence[int]]:
    for first in range(0, count, together):
        yield range(first, min(first + together, count))


def compared(job: Job, penalty: float, arguments: argparse.Namespace) -> str:
    """Time all ways of a job in turn; return a row of Markdown for each number of sources."""
    sizes = (1, arguments.together)
    ways: dict[str, Callable[[], object]] = {"plain": partial(plain, job, penalty)}
    for size in sizes:
        ways[f"beam {size}"] = partial(beam, job, penalty, size)
        ways[f"greedy {size}"] = partial(greedy, job, size)
    rates = in_turn(ways, job.count, arguments.pairs)
    theirs, lines = plain(job, penalty), []
    for size in sizes:
        clock = ClockedStep(job)
        started = time.perf_counter()
        ours = beam(job, penalty, size, clock)
        share = clock.seconds / (time.perf_counter() - started)
        mine = rates[f"beam {size}"]
        cells = [
            job.name,
            f"{penalty:g}",
            str(size),
            f"{statistics.median(mine):.1f}",
            ratio(mine, rates["plain"]),
            ratio(mine, rates[f"greedy {size}"]),
            f"{share:.2f}",
            f"{clock.rows / job.count:.0f}",
            f"{statistics.mean(ours):.3f}, {statistics.mean(theirs):.3f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def in_turn(
    ways: Mapping[str, Callable[[], object]], count: int, rounds: int
) -> dict[str, list[float]]:
    """Time each way in each of so many rounds, after one that is not counted.

    Returns:
        How many of `count` each does in a second, round by round.
    """
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            rates[name].append(count / (time.perf_counter() - started))
    return {name: measured[1:] for name, measured in rates.items()}


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Return the median of the ratios of pairs, and their range."""
    ratios = [own / peer for own, peer in zip(ours, theirs, strict=True)]
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})"


HEAD = """\
| task | penalty | at a time | ours, sentences/s | beside the plain beam | beside greedy | \
step's share | rows a sentence | mean score, ours and plain |
|---|---|---|---|---|---|---|---|---|"""


def beside_peers(jobs: Sequence[Job], arguments: argparse.Namespace) -> str:
    """Compare our search with the plain one and with greedy search."""
    lines = [HEAD]
    for job in jobs:
        for penalty in arguments.penalties:
            lines.append(compared(job, penalty, arguments))
            print(lines[-1], flush=True)
    return "\n".join(lines)


class Alone(NamedTuple):
    """What one package does.

    Attributes:
        rates: Sources in a second, by case.
        scores: The score of each source's best hypothesis, by case.
    """

    rates: dict[str, float]
    scores: dict[str, list[float]]


def alone(jobs: Sequence[Job], arguments: argparse.Namespace) -> Alone:
    """Time our beam search once for each case, after a round that is not counted."""
    found = Alone({}, {})
    for job in jobs:
        for penalty in arguments.penalties:
            for size in (1, arguments.together):
                case = f"{job.name} | {penalty:g} | {size}"
                found.scores[case] = beam(job, penalty, size)  # the round that is not counted
                started = time.perf_counter()
                beam(job, penalty, size)
                found.rates[case] = job.count / (time.perf_counter() - started)
    return found


def beside_before(folder: Path, words: Sequence[str], pairs: int) -> str:
    """Time an older package and this one in turn, each in a process of its own.

    Args:
        folder: Has `seqforge` and `tasks` of the older one.
        words: What the processes are told.
        pairs: How often.
    """
    measured: list[tuple[Alone, Alone]] = []
    for number in range(1, pairs + 1):
        measured.append((in_a_process(folder, words), in_a_process(ROOT, words)))
        print(f"pair {number} of {pairs}", flush=True)
    lines = [
        "| task | penalty | at a time | before, sentences/s | after, sentences/s | ratio |",
        "|---|---|---|---|---|---|",
    ]
    apart = 0.0
    for case in measured[0][0].rates:
        before, after = ([pair[side].rates[case] for pair in measured] for side in (0, 1))
        rates = f"{statistics.median(before):.1f} | {statistics.median(after):.1f}"
        lines.append(f"| {case} | {rates} | {ratio(after, before)} |")
        scores = (pair[side].scores[case] for pair in measured[:1] for side in (0, 1))
        apart = max(apart, *(abs(one - other) for one, other in zip(*scores, strict=True)))
    return "\n".join([*lines, "", f"Scores of best hypotheses are at most {apart:.1e} apart."])


def in_a_process(package: Path, words: Sequence[str]) -> Alone:
    """Run `alone` on a package in a process of its own."""
    path = os.pathsep.join(map(str, (package, package / "tasks", ROOT)))
    with tempfile.TemporaryDirectory() as elsewhere:  # where no package of ours lies
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.decoding_speed", "--alone", *words],
            cwd=elsewhere,
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return Alone(**json.loads(done.stdout.splitlines()[-1]))


QUICK = {"pairs": 1, "items": 4, "together": 2, "size": 16, "training": 1}


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=["translation", "captioning"])
    parser.add_argument("--penalties", type=float, nargs="+", default=list(PENALTIES))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--pairs", type=int, default=5, help="rounds that are counted")
    parser.add_argument("--items", type=int, default=64, help="sources of each task")
    parser.add_argument("--together", type=int, default=64, help="sources at a time")
    parser.add_argument("--size", type=int, default=512, help="of the LSTMs")
    parser.add_argument("--training", type=int, default=60, help="seconds, of each network")
    parser.add_argument("--before", type=Path, help="a folder with an older package")
    parser.add_argument("--keep", type=Path, help="folder of the trained networks, to go on with")
    parser.add_argument("--alone", action="store_true", help="our beam alone, as JSON")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter throughout")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    if parser.parse_args(words).quick:
        parser.set_defaults(**QUICK)
    return parser.parse_args(words)


def run(folder: Path, arguments: argparse.Namespace) -> str:
    """Train what is not in the folder yet, and measure."""
    workshop = Workshop(folder, arguments.size, arguments.training, arguments.items)
    jobs = [getattr(workshop, name)() for name in arguments.tasks]
    if arguments.alone:
        return json.dumps(alone(jobs, arguments)._asdict())
    if arguments.before is None:
        return beside_peers(jobs, arguments)
    options = {name: getattr(arguments, name) for name in ("threads", "items", "together", "size")}
    words = [f"--{name}={value}" for name, value in options.items()]
    words += ["--keep", str(folder), "--tasks", *arguments.tasks]
    words += ["--penalties", *map(str, arguments.penalties)]
    return beside_before(arguments.before.resolve(), words, arguments.pairs)


def main() -> None:
    """Run from the command line."""
    arguments = parsed()
    quiet_libraries()
    keep_memory()  # as `seqforge infer` does
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as passing:
        folder = (arguments.keep or Path(passing)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        text = run(folder, arguments)
    if not arguments.alone:
        text += f"\n\n{arguments.threads} threads, {platform.machine()}, torch {torch.__version__}."
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
