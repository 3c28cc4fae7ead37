"""The page of `benchmarks/peers_table.py`: figures as tables, and where seqforge loses."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Piece = dict[str, Any]
COLUMNS = (
    "",
    "a step, ms",
    "{unit}/s",
    "seqforge as it comes is faster by",
    "seqforge in fp32 is faster by",
    "first step after, s",
    "to a loss of {target}, s (steps)",
    "peak memory, MiB",
)


@dataclass(frozen=True)
class Account:
    """What the page says of a subject.

    Attributes:
        title: A heading.
        unit: What a step learns from.
        text: What is trained, on what, and what differs.
    """

    title: str
    unit: str
    text: str


@dataclass(frozen=True)
class Results:
    """What was measured of a subject.

    Attributes:
        steps: What `in_turn` has returned, seqforge as it comes first.
        losses: What `to_loss` has returned, by the systems' names.
    """

    steps: Sequence[Piece]
    losses: Mapping[str, Piece]

    @property
    def ours(self) -> list[Piece]:
        """Those of seqforge: as it comes, then in fp32 where that is another."""
        return [each for each in self.steps if each["name"].startswith("seqforge")]

    @property
    def peers(self) -> list[Piece]:
        """All others."""
        return [each for each in self.steps if not each["name"].startswith("seqforge")]


def results(folder: Path) -> Results | None:
    """Read what was measured of a subject; None: nothing.

    Args:
        folder: The subject's, with `steps.json` and `loss-….json`.
    """
    if not (folder / "steps.json").is_file():
        return None
    steps: list[Piece] = json.loads((folder / "steps.json").read_text(encoding="utf-8"))
    found = [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("loss-*.json")]
    return Results(steps, {each["name"]: each for each in found})


def page(work: Path, accounts: Mapping[str, Account]) -> str:
    """Return all that was measured as Markdown.

    Args:
        work: Where each subject has a folder.
        accounts: By the folder's name, in the order of the page.
    """
    parts = [INTRODUCTION]
    versions: dict[str, str] = {}
    lost = []
    for name, account in accounts.items():
        found = results(work / name)
        if found is None:
            continue
        parts += [f"## {account.title}", account.text, table(account.unit, found)]
        lost += [f"- {account.title}, {line}" for line in where_we_lose(found)]
        for piece in found.steps:
            versions |= piece["versions"]
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    behind = "\n".join(lost) if lost else "Nowhere in these tables."
    parts += ["## Where we lose", behind]
    parts += ["## Machine", f"{processor()}, no GPU; {libraries}."]
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """# Beside peers

Commands: those at the head of `benchmarks/peers_table.py`. All systems of a table train in turn, a
few seconds each, round after round, while the others stand still; ratios are taken within a round,
their median is given with the smallest and the largest. "A step" is the median over rounds of the
median step. "First step after" begins with the process: libraries, data and compilation are in it.
"To a loss" is one run of each system, alone, from the start of its process until the mean loss of
ten batches is below the one named. "Peak memory" is the largest resident size of the process,
libraries and data included. "As it comes": in the precision that `seqforge fit` chooses."""


def table(unit: str, found: Results) -> str:
    """Return a subject's figures as Markdown.

    Args:
        unit: What a step learns from.
        found: What was measured.
    """
    target = next((f"{each['target']:g} nats" for each in found.losses.values()), "(none)")
    columns = [each.format(unit=unit, target=target) for each in COLUMNS]
    lines = [_row(columns), _row(["---"] * len(columns))]
    ours = found.ours
    for piece in found.steps:
        rates = [window["items_per_second"] for window in piece["windows"]]
        step = statistics.median(window["step"] for window in piece["windows"])
        cells = [piece["name"], f"{1e3 * step:,.0f}", f"{statistics.median(rates):,.0f}"]
        compared = [] if piece in ours else ours
        cells += [_ratio_cell(piece, own) for own in compared] + [""] * (2 - len(compared))
        cells += [f"{piece['first_step']:.1f}", _loss(found.losses.get(piece["name"]))]
        lines.append(_row([*cells, f"{piece['peak']:,.0f}"]))
    return "\n".join(lines)


def ratios(peer: Piece, own: Piece) -> list[float]:
    """Return by how much ours is faster, round by round."""
    return [
        ours["items_per_second"] / theirs["items_per_second"]
        for theirs, ours in zip(peer["windows"], own["windows"], strict=True)
    ]


def where_we_lose(found: Results) -> list[str]:
    """Return a line for each peer that is better than seqforge as it comes in anything.

    Args:
        found: What was measured.
    """
    lines = []
    own = found.ours[0]
    for peer in found.peers:
        better = []
        rate = statistics.median(ratios(peer, own))
        if rate < 1.0:
            better.append(f"seqforge has {rate:.2f} times its rate")
        if own["first_step"] > peer["first_step"]:
            better.append(
                f"the first step is taken after {own['first_step']:.1f} s, "
                f"there after {peer['first_step']:.1f}"
            )
        if own["peak"] > peer["peak"]:
            better.append(f"{own['peak']:,.0f} MiB are taken, there {peer['peak']:,.0f}")
        better += _later(found.losses.get(own["name"]), found.losses.get(peer["name"]))
        if better:
            lines.append(f"{peer['name']}: {'; '.join(better)}.")
    return lines


def _later(own: Piece | None, peer: Piece | None) -> list[str]:
    """Say so where a peer is sooner at the loss, or needs fewer steps to it."""
    if own is None or peer is None or not peer["reached"]:
        return []
    if not own["reached"]:
        return ["the loss is not reached, there it is"]
    told = []
    if own["seconds"] > peer["seconds"]:
        told.append(f"the loss takes {own['seconds']:.0f} s, there {peer['seconds']:.0f}")
    if own["steps"] > peer["steps"]:
        told.append(f"the loss takes {own['steps']} steps, there {peer['steps']}")
    return told


def processor() -> str:
    """Return the cores, the processor's name, and what it has for bfloat16."""
    file = Path("/proc/cpuinfo")
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    values = {key.strip(): value.strip() for key, value in fields.items()}
    name = values.get("model name", platform.machine())
    flags = [flag for flag in values.get("flags", "").split() if "bf16" in flag]
    return f"{os.cpu_count()} cores of {name} ({', '.join(flags) or 'no bfloat16'})"


def _ratio_cell(peer: Piece, own: Piece) -> str:
    found = ratios(peer, own)
    return f"**{statistics.median(found):.2f}** ({min(found):.2f} to {max(found):.2f})"


def _loss(piece: Piece | None) -> str:
    if piece is None:
        return "not measured"
    if not piece["reached"]:
        return f"not in {piece['seconds']:.0f} ({piece['steps']}; {piece['loss']:.2f})"
    return f"{piece['seconds']:.0f} ({piece['steps']})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
