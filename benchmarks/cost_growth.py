"""Measure how the time and the memory of seqforge grow with what is given to it.

    python -m benchmarks.cost_growth --output docs/results/speed

Training steps (forward pass, loss, backward pass, AdamW) of the character model against the length
of sequences, whole and truncated with the state carried on, against the hidden size and the batch;
of heads alone against the vocabulary: `head_cross_entropy`, F.cross_entropy behind a linear layer,
and the adaptive softmax; reading and an epoch of forecasting against the number of series; writing
against the number of characters. Each point is a process of its own (`growth_points.py`). Pictures
go into the folder, the points into its `growth.json`, and the tables between the two marks in its
`growth.md`; with `--studies`, what the other studies have measured there stays. `--quick` shows
that all of it runs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy
import pandas
import torch

from benchmarks.growth_fit import Panel, draw, growth
from benchmarks.growth_points import Measured, Point, measured
from benchmarks.growth_studies import STUDIES, Study, itself

MARKS = ("<!-- measured -->", "<!-- end of what is measured -->")
Results = Mapping[str, Mapping[int, Measured]]


def measure(study: Study, arguments: argparse.Namespace) -> Results:
    """Measure all points of a study in rounds, each point in a process of its own.

    Of the rounds the least time counts, and the highest memory: a machine that is shared is slower
    for some seconds now and then.

    Args:
        study: What is measured.
        arguments: Of the command line.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.growth_points"])
    sizes = study.quick if arguments.quick else study.sizes
    results: dict[str, dict[int, Measured]] = {name: {} for name in study.ways}
    for _ in range(arguments.rounds):
        for size, (name, way) in product(sizes, study.ways.items()):
            point = Point(way, size, sizes[0], arguments.seconds, arguments.threads)
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                found = pool.submit(measured, point).result()
            print(f"{way} {size}: {found.seconds:.4g} s, {found.mebibytes:.1f} MiB", flush=True)
            best = results[name].get(size, found)
            results[name][size] = Measured(
                min(found.seconds, best.seconds), max(found.mebibytes, best.mebibytes)
            )
    return results


def picture(study: Study, results: Results, target: Path) -> None:
    """Draw time and memory of a study, with lines of `a + b n` through the times."""
    times = {
        name: ([study.against(size) for size in found], [each.seconds for each in found.values()])
        for name, found in results.items()
    }
    memory = {
        name: (list(found), [max(each.mebibytes, 0.1) for each in found.values()])
        for name, found in results.items()
    }
    counted = study.counted if study.against is itself else study.title.lower()
    panels = [
        Panel(study.title, (study.counted, "seconds"), times, list(times)),
        Panel(f"{study.title}: memory", (counted, "MiB, 0.1 where less"), memory),
    ]
    draw(panels, target)


def points_table(study: Study, results: Results) -> str:
    """Return all that was measured as Markdown: milliseconds and MiB."""
    names = list(results)
    head = [f"{name}, {unit}" for name in names for unit in ("ms", "MiB")]
    size_name = "size" if study.against is not itself else study.counted
    lines = [f"| {size_name} | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for size in sorted({size for found in results.values() for size in found}):
        cells = []
        for name in names:
            found = results[name].get(size)
            cells += (
                ["", ""]
                if found is None
                else [f"{1e3 * found.seconds:,.1f}", f"{found.mebibytes:,.0f}"]
            )
        lines.append(f"| {size:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def exponents_table(all_results: Mapping[str, Results]) -> str:
    """Return how the time of each way grows as Markdown."""
    lines = [
        "| study | way | exponent | fixed, ms | each, µs | off the line | off proportion "
        "| memory, exponent |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key, results in all_results.items():
        study = STUDIES[key]
        for name, found in results.items():
            sizes = [study.against(size) for size in found]
            time_ = growth(sizes, [each.seconds for each in found.values()])
            kept = [max(each.mebibytes, 0.1) for each in found.values()]
            memory = growth(list(found), kept).exponent
            each = (
                f"{1e6 * time_.each:.3g}"
                if study.against is itself
                else (f"{1e-9 / time_.each:.0f} GFLOP/s")
            )
            lines.append(
                f"| {study.title} ({study.counted}) | {name} | {time_.exponent:.2f} "
                f"| {1e3 * time_.fixed:.3g} | {each} | {time_.off_line:.0%} "
                f"| {time_.off_proportion:.0%} | {memory:.2f} |"
            )
    return "\n".join(lines)


def report(all_results: Mapping[str, Results], threads: int) -> str:
    """Return what was measured, with hardware and versions, as Markdown."""
    lines = [
        f"`python -m benchmarks.cost_growth --output docs/results/speed`: {processor()}, "
        f"{threads} threads, float32; Python {platform.python_version()}, torch "
        f"{torch.__version__}, numpy {numpy.__version__}, pandas {pandas.__version__}.",
        "",
        exponents_table(all_results),
    ]
    for key, results in all_results.items():
        study = STUDIES[key]
        lines += ["", f"### {study.title}", "", f"![{study.title}: time and memory]({key}.png)"]
        lines += ["", points_table(study, results)]
    return "\n".join(lines)


def stored(file: Path, fresh: Mapping[str, Results]) -> dict[str, Results]:
    """Put fresh results beside those that a file has of other studies, and write all there.

    Args:
        file: JSON, which may not be there yet.
        fresh: What was measured now.

    Returns:
        All results, in the order of `STUDIES`.
    """
    lines = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for key, results in fresh.items():
        lines[key] = {
            name: {str(size): [each.seconds, each.mebibytes] for size, each in found.items()}
            for name, found in results.items()
        }
    file.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    return {
        key: {
            name: {int(size): Measured(*each) for size, each in found.items()}
            for name, found in lines[key].items()
        }
        for key in STUDIES
        if key in lines
    }


def processor() -> str:
    """Return the processor's model and its number of cores."""
    file = Path("/proc/cpuinfo")
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    name = found.group(1) if found else platform.processor() or platform.machine()
    kind = re.search(r"^model\s*: (\d+)$", text, re.MULTILINE)
    model = f" (model {kind.group(1)})" if kind else ""
    return f"{name}{model}, {os.cpu_count()} cores"


def put(text: str, page: Path) -> None:
    """Put a text between the marks of a page; the page is made where it is not there."""
    old = page.read_text(encoding="utf-8") if page.exists() else "\n".join(MARKS)
    before, _, rest = old.partition(MARKS[0])
    _, _, behind = rest.partition(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{behind}", encoding="utf-8")


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=0.5, help="that a point repeats, at least")
    parser.add_argument("--rounds", type=int, default=2, help="over all points of a study")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--output", type=Path, help="folder of the page and the pictures")
    if parser.parse_args(words).quick:
        parser.set_defaults(seconds=0.0, rounds=1)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    arguments = parsed(words)
    if sys.platform != "linux":
        sys.exit("memory is read from /proc, which only Linux has")
    results: dict[str, Results] = {}
    for key in arguments.studies:
        fresh = {key: measure(STUDIES[key], arguments)}
        results |= fresh
        if arguments.output is not None:
            arguments.output.mkdir(parents=True, exist_ok=True)
            results = stored(arguments.output / "growth.json", fresh)
            picture(STUDIES[key], results[key], arguments.output / f"{key}.png")
            put(report(results, arguments.threads), arguments.output / "growth.md")
    print(report(results, arguments.threads))


if __name__ == "__main__":
    main()
