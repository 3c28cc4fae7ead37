"""Fail where a small case has become slower, against the bare cost of what it is made of.

    python benchmarks/gate.py             # exit code 1 if a case has lost 15 %
    python benchmarks/gate.py --record    # write today's ratios down as the reference

Each case does the same mathematics twice on one core, in turn: by seqforge and by hand. What counts
is the ratio of the two, the share of seqforge's time that the bare work takes; machines of other
speeds have nearly the same. Time is the processor's, so other programs do not count, and waiting is
not seen. A case's ratio is the median over many turns; one that is too low is measured twice more
before it fails. After a change that is meant to cost or to save something, record anew.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the cases are of the processor: nothing is pinned

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # for the other files of this folder

from benchmarks.gate_cases import CASES, Case  # noqa: E402
from seqforge.cli.memory import keep_memory  # noqa: E402
from seqforge.cli.quiet import quiet_libraries  # noqa: E402

REFERENCES = HERE / "gate.json"
KEPT = 0.85
"""The share of its reference that a case must reach."""
TRIES = 3


def measured(case: Case) -> float:
    """Return a case's ratio: bare seconds over seqforge's, the median over its turns."""
    return statistics.median(bare / own for bare, own in case())


def failures(
    cases: Mapping[str, Case],
    references: Mapping[str, float],
    say: Callable[[str], None] = print,
) -> list[str]:
    """Measure all cases and return a message for each that has become slower.

    Args:
        cases: By name.
        references: The recorded ratios, by the same names.
        say: Is told of every case.

    Raises:
        KeyError: A case has no reference.
    """
    messages = []
    for name, case in cases.items():
        reference, ratios = references[name], [measured(case)]
        while ratios[-1] < KEPT * reference and len(ratios) < TRIES:
            ratios.append(measured(case))
        ratio = max(ratios)
        tried = ", ".join(f"{each:.3f}" for each in ratios)
        say(f"{name}: {tried}; reference {reference:.3f}")
        if ratio < KEPT * reference:
            messages.append(
                f"{name} has become slower: the bare work takes {ratio:.3f} of its time, recorded "
                f"are {reference:.3f}; it must keep {KEPT:.0%} of that, {KEPT * reference:.3f}"
            )
    return messages


def main(words: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit code.

    Args:
        words: Arguments; None: those of the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="write the references anew")
    arguments = parser.parse_args(words)
    keep_memory()  # as `seqforge fit` does
    quiet_libraries()
    torch.set_num_threads(1)
    started = time.monotonic()
    if arguments.record:
        ratios = {
            name: statistics.median(measured(case) for _ in range(TRIES))
            for name, case in CASES.items()
        }
        rounded = {name: round(ratio, 3) for name, ratio in ratios.items()}
        REFERENCES.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
        print(rounded)
        return 0
    messages = failures(CASES, json.loads(REFERENCES.read_text(encoding="utf-8")))
    print(f"{len(CASES)} cases, {time.monotonic() - started:.0f} s")
    for message in messages:
        print(message, file=sys.stderr)
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
