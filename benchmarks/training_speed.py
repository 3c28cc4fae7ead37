"""Time `seqforge fit` against a bare PyTorch loop, on the lecture's model.

    python benchmarks/training_speed.py --output FILE.md
    python benchmarks/training_speed.py --quick        # that it runs; its figures mean nothing

A character model of two layers of 512 units, batches of 128 rows of 50 characters, AdamW, clipping.
The bare loop is what one writes by hand: `nn.Embedding`, `nn.LSTM` (or GRU, RNN) of two layers,
`nn.Linear`, `cross_entropy`, float32, the state detached and carried on; its batches lie ready in
memory. seqforge runs as a user starts it, a process of `seqforge fit` with all its callbacks,
loggers and checkpoints, in bfloat16 where the processor has it, and in float32.

First both take the same steps: seqforge's start weights are given to the loop, and the losses of
each step are compared. Then both are timed in turn, A B A B …, each in a process of its own: whole
steps in a window of time, from the beginning of one to that of another. The ratio is taken pair by
pair and its median reported, with what a process takes beside its window: start, warm-up and end.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # for the other files of this folder

from benchmarks.forecasting_speed import Bench, table  # noqa: E402
from seqforge.precision import training_precision  # noqa: E402
from seqforge.text import vocabulary_from_spec  # noqa: E402
from seqforge_tasks.char_generation import TextFile  # noqa: E402
from seqforge_tasks.char_generation.data import builtin_text  # noqa: E402

EMBEDDING = 128
LEARNING_RATE, DECAY, CLIPPING = 0.002, 0.01, 1.0
BOUNDS = {"32-true": 1e-3, "bf16-mixed": 0.1}
"""Nats by which a step's losses may differ: in float32 by rounding alone."""


# -- the bare loop ---------------------------------------------------------------------------------


class Network(nn.Module):
    """The lecture's network, from PyTorch's own modules.

    Args:
        kind: "LSTM", "GRU" or "RNN".
        symbols: `V`.
        size: `H`, of the hidden state.
    """

    def __init__(self, kind: str, symbols: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, EMBEDDING)
        self.rnn: nn.RNNBase = getattr(nn, kind)(EMBEDDING, size, num_layers=2, batch_first=True)
        self.head = nn.Linear(size, symbols)

    def forward(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Return scores `(B, T, V)` of `(B, T)`, and the state behind them."""
        outputs, state = self.rnn(self.embedding(inputs), state)
        return self.head(outputs), state

    def take(self, weights: dict[str, Tensor]) -> None:
        """Take up the weights of seqforge's network."""
        names = {name: name for name in self.state_dict() if not name.startswith("rnn.")}
        for layer in (0, 1):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                names[f"rnn.{name}_l{layer}"] = f"encoder.layers.{layer}.rnn.{name}_l0"
        self.load_state_dict({own: weights[theirs] for own, theirs in names.items()})


def loop(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train by hand; return the losses and, of the counted steps, how long they took."""
    batches = torch.load(arguments.batches)
    inputs, targets = batches["inputs"], batches["targets"]  # (N, B, T)
    network = Network(arguments.kind, batches["symbols"], arguments.size)
    network.take(torch.load(arguments.weights))
    # Decay spares vectors, as in seqforge: else the losses could not be compared.
    groups = [
        {"params": [each for each in network.parameters() if each.dim() > 1]},
        {"params": [each for each in network.parameters() if each.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, weight_decay=DECAY)
    state: Any = None
    losses, began = [], []
    for number in range(arguments.steps or sys.maxsize):
        began.append(time.perf_counter())
        counted = began[arguments.warm :]
        if arguments.seconds and counted and counted[-1] - counted[0] >= arguments.seconds:
            break
        place = number % len(inputs)
        optimizer.zero_grad()
        scores, state = network(inputs[place], state)
        loss = F.cross_entropy(scores.flatten(0, 1), targets[place].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIPPING)
        optimizer.step()
        state = tuple(map(Tensor.detach, state)) if arguments.kind == "LSTM" else state.detach()
        losses.append(loss.item())
    if not arguments.seconds:
        return {"losses": losses}
    counted = began[arguments.warm :]
    seconds, steps = counted[-1] - counted[0], len(counted) - 1
    rate = steps * inputs[0].numel() / seconds
    return {"losses": losses, "steps": steps, "seconds": seconds, "tokens_per_second": rate}


# -- both, in turn ---------------------------------------------------------------------------------


class Material(NamedTuple):
    """What both sides are given.

    Attributes:
        bench: Where processes run; its table is the text.
        batches: The batches of an epoch of that text, for the loop.
    """

    bench: Bench
    batches: Path


def prepare(folder: Path, arguments: argparse.Namespace) -> Material:
    """Write the text and its batches; Python's own text several times, so that an epoch is long."""
    text = folder / "text.txt"
    text.write_text(builtin_text() * arguments.copies, encoding="utf-8")
    data = TextFile(**_data(arguments), path=str(text), cache=str(folder / "cache"))
    data.setup("fit")
    batches = list(data.train_dataloader())
    file = folder / "batches.pt"
    torch.save(
        {
            "inputs": torch.stack([batch.inputs for batch in batches]),
            "targets": torch.stack([batch.targets for batch in batches]),
            "symbols": len(vocabulary_from_spec(data.spec()["vocabulary"])),
        },
        file,
    )
    return Material(Bench(folder, text, arguments.threads), file)


def _data(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"batch_size": arguments.batch_size, "seq_len": arguments.seq_len, "validation": 0.0}


def settings(kind: str, precision: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return seqforge's configuration; only the schedule is not its default, for the losses."""
    encoder = {"class_path": kind, "init_args": {"hidden_size": arguments.size, "num_layers": 2}}
    task = {"class_path": "CharGeneration", "init_args": {"embedding_size": EMBEDDING}}
    rate = {"lr": LEARNING_RATE, "weight_decay": DECAY}
    return {
        "seed_everything": 0,
        "model": {
            "encoder": encoder,
            "task": task,
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": rate},
            "schedule": {"class_path": "Constant"},
        },
        "data": {"class_path": "TextFile", "init_args": _data(arguments)},
        "trainer": {"precision": precision, "gradient_clip_val": CLIPPING},
    }


def agreement(
    material: Material, kind: str, precision: str, arguments: argparse.Namespace
) -> tuple[Path, float]:
    """Let both take the same steps from the same weights.

    Returns:
        The file of the weights, and the largest difference of two losses of a step, in nats.
    """
    bench, name = material.bench, f"{kind}-{precision}"
    weights, report = bench.folder / f"{name}.weights.pt", bench.folder / f"{name}.losses.jsonl"
    chosen = settings(kind, precision, arguments)
    chosen["trainer"] |= {
        "callbacks": [
            {
                "class_path": "benchmarks.step_clock.LossTrace",
                "init_args": {
                    "weights": str(weights),
                    "report": str(report),
                    "steps": arguments.traced,
                },
            }
        ]
    }
    bench.fit(f"trace-{name}", chosen)
    ours = json.loads(report.read_text(encoding="utf-8"))["losses"]
    theirs = _loop(material, f"trace-loop-{name}", kind, weights, arguments, arguments.traced)
    gaps = [abs(a - b) for a, b in zip(ours, theirs["losses"], strict=True)]
    return weights, max(gaps)


def _loop(
    material: Material,
    name: str,
    kind: str,
    weights: Path,
    arguments: argparse.Namespace,
    steps: int = 0,
) -> dict[str, Any]:
    window = ("--steps", steps, "--seconds", 0) if steps else ("--seconds", arguments.seconds)
    return material.bench.measured(
        name,
        *(sys.executable, Path(__file__).resolve(), "--loop", "--kind", kind),
        *("--size", arguments.size, "--warm", arguments.warm, *window),
        *("--weights", weights, "--batches", material.batches, "--report"),
    )


class Timed(NamedTuple):
    """What was measured of one encoder in one precision.

    Attributes:
        gap: The largest difference of losses in the traced steps, in nats.
        pairs: Characters a second, of the loop and of seqforge.
        beside: Seconds that the processes took beside their windows, of the loop and of seqforge.
    """

    gap: float
    pairs: list[tuple[float, float]]
    beside: list[tuple[float, float]]


def timed(material: Material, kind: str, precision: str, arguments: argparse.Namespace) -> Timed:
    """Compare the losses, then time both in turn.

    Raises:
        SystemExit: The losses differ by more than `BOUNDS` has.
    """
    weights, gap = agreement(material, kind, precision, arguments)
    print(f"{kind} {precision}: losses differ by at most {gap:.1e}", flush=True)
    if not gap <= BOUNDS[precision]:
        sys.exit(f"{kind} in {precision}: losses differ by {gap:.3g}, over {BOUNDS[precision]:g}")
    result = Timed(gap, [], [])
    for number in range(1, arguments.pairs + 1):
        started = time.perf_counter()
        line = _loop(material, f"loop-{kind}-{precision}-{number}", kind, weights, arguments)
        between = time.perf_counter()
        chosen = settings(kind, precision, arguments)
        ours = material.bench.window(f"fit-{kind}-{precision}-{number}", chosen, arguments)
        ended = time.perf_counter()
        result.pairs.append((line["tokens_per_second"], ours))
        walls = (between - started - arguments.seconds, ended - between - arguments.seconds)
        result.beside.append(walls)
        print(f"{kind} {precision} {number}: {result.pairs[-1]}", flush=True)
    return result


def page(results: dict[tuple[str, str], Timed]) -> str:
    """Return all that was measured, as Markdown."""
    lines = [
        "| encoder | seqforge in | median ratio | losses differ by at most, nats | "
        "beside the window: loop, s | seqforge, s |",
        "|---|---|---|---|---|---|",
    ]
    for (kind, precision), result in results.items():
        ratio = statistics.median(ours / theirs for theirs, ours in result.pairs)
        loops, fits = (statistics.median(column) for column in zip(*result.beside, strict=True))
        lines.append(
            f"| {kind} | {precision} | **{ratio:.2f}** | {result.gap:.1e} | "
            f"{loops:.1f} | {fits:.1f} |"
        )
    for (kind, precision), result in results.items():
        own = f"seqforge in {precision}"
        lines += ["", f"{kind}:", "", table("characters/s", "bare loop", own, result.pairs)]
    return "\n".join(lines)


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoders", nargs="+", default=["LSTM", "GRU", "RNN"])
    parser.add_argument("--precisions", nargs="+", choices=BOUNDS, help="else the chosen and 32")
    parser.add_argument("--pairs", type=int, default=5, help="how often both are timed")
    parser.add_argument("--seconds", type=float, default=8.0, help="of a window")
    parser.add_argument("--warm", type=int, default=3, help="steps before it")
    parser.add_argument("--traced", type=int, default=10, help="steps whose losses are compared")
    parser.add_argument("--size", type=int, default=512, help="of the hidden state")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seq-len", type=int, default=50)
    parser.add_argument("--copies", type=int, default=4, help="of Python's text in an epoch")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, help="the folder for everything; else a passing one")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    parser.add_argument("--quick", action="store_true", help="a tiny network, one short pair")
    inner = parser.add_argument_group("the bare loop, which this script starts by itself")
    inner.add_argument("--loop", action="store_true")
    inner.add_argument("--kind")
    inner.add_argument("--steps", type=int, default=0)
    inner.add_argument("--weights", type=Path)
    inner.add_argument("--batches", type=Path)
    inner.add_argument("--report", type=Path)
    arguments = parser.parse_args(words)
    if arguments.quick:
        tiny = {"pairs": 1, "seconds": 0.2, "traced": 3, "size": 16, "batch_size": 8, "copies": 1}
        vars(arguments).update(tiny)
    if arguments.precisions is None:
        arguments.precisions = list(dict.fromkeys([training_precision("cpu"), "32-true"]))
    return arguments


def measure(folder: Path, arguments: argparse.Namespace) -> dict[tuple[str, str], Timed]:
    """Measure every encoder in every precision."""
    material = prepare(folder, arguments)
    return {
        (kind, precision): timed(material, kind, precision, arguments)
        for kind in arguments.encoders
        for precision in arguments.precisions
    }


def main() -> None:
    """Run from the command line."""
    arguments = parsed()
    if arguments.loop:
        line = loop(arguments)
        arguments.report.write_text(json.dumps(line) + "\n", encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as passing:
        folder = (arguments.work or Path(passing)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        text = page(measure(folder, arguments))
    versions = f"torch {torch.__version__}, Python {platform.python_version()}"
    text += f"\n\n{arguments.threads} threads, {platform.platform()}, {versions}.\n"
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
