"""Measure on a GPU what the other benchmarks measure on a processor.

    python -m benchmarks.gpu_speed --output gpu.md
    export SEQFORGE_DATA=FOLDER    # tinyshakespeare, multi30k and timeseries in it
    python -m benchmarks.gpu_speed --parts recipes         # 3 seeds, 10 minutes a run at most
    python -m benchmarks.gpu_speed --device cpu --quick    # that it runs; the figures mean nothing

`training`: the lecture's model, `SequenceModule` under a trainer in bfloat16 against a bare loop in
float32 (`nn.LSTM`, `nn.GRU`, `nn.RNN`, so cuDNN in both), in turn, in windows of time; and the
share of the roofline: the operations of a step, over its time, beside what large products in
bfloat16 reach on the same device. `stepping`: characters a second, one at a time, by a loop over
`nn.LSTM`, by seqforge's stepper, and by the stepper captured in a CUDA graph (on a GPU only).
`recipes`: `seqforge fit` of tinyshakespeare, Multi30k and ETTh1 with each seed: seconds and last
measures.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.bare_trainer import bare_trainer
from benchmarks.forecasting_speed import table
from benchmarks.generation_speed import PerStep
from benchmarks.step_clock import StepClock
from benchmarks.training_speed import EMBEDDING, Network
from seqforge.cli.quiet import quiet_libraries
from seqforge.decoding import Step, StepOut
from seqforge.encoders import GRU, LSTM, RNN
from seqforge.layers import Head
from seqforge.state import State, leaves, map_state
from seqforge.text import vocabulary_from_spec
from seqforge.training import Constant, SequenceModule
from seqforge_tasks.char_generation import CharGeneration, TextFile
from seqforge_tasks.char_generation.language_model import LanguageModel

KINDS: dict[str, Any] = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
RECIPES = {
    "tinyshakespeare": "tinyshakespeare/input.txt",
    "multi30k": "multi30k",
    "etth1": "timeseries/ETTh1.csv.gz",
}
LIMIT = 600
"""Seconds that a recipe may take."""


def operations(kind: str, size: int, symbols: int) -> int:
    """Return the operations of a character in a training step: forward, and twice that backward.

    Each product of a matrix `(M, N)` is `2 M N`; two layers and the head.
    """
    layers = 2 * GATES[kind] * size * (EMBEDDING + size + 2 * size)
    return 3 * (layers + 2 * size * symbols)


def peak(device: torch.device, size: int) -> float:
    """Return the operations a second that square products in bfloat16 reach."""
    left, right = (torch.randn(size, size, device=device).bfloat16() for _ in range(2))
    rates = []
    for _ in range(6):
        synchronise(device)
        started = time.perf_counter()
        for _ in range(10):
            left @ right
        synchronise(device)
        rates.append(10 * 2 * size**3 / (time.perf_counter() - started))
    return statistics.median(rates[1:])


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


# -- training -------------------------------------------------------------------------------------


def bare_rate(kind: str, data: TextFile, arguments: argparse.Namespace) -> float:
    """Train by hand for a while; return the characters that were learnt from in a second."""
    device = torch.device(arguments.device)
    batches: list[Any] = list(data.train_dataloader())
    parts = [(each.inputs.to(device), each.targets.to(device)) for each in batches]
    network = Network(kind, symbols(data), arguments.size).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.002)
    state: Any = None
    began = 0.0
    for number in range(sys.maxsize):
        if number == arguments.warm:
            synchronise(device)
            began = time.perf_counter()
        if number > arguments.warm and time.perf_counter() - began >= arguments.seconds:
            break
        inputs, targets = parts[number % len(parts)]
        optimizer.zero_grad()
        scores, state = network(inputs, state)
        loss = F.cross_entropy(scores.flatten(0, 1), targets.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        state = tuple(map(Tensor.detach, state)) if kind == "LSTM" else state.detach()
        loss.item()
    synchronise(device)
    seconds = time.perf_counter() - began
    return float((number - arguments.warm) * inputs.numel() / seconds)


def own_rate(kind: str, data: TextFile, arguments: argparse.Namespace, folder: Path) -> float:
    """Train ours for a while; return the characters that it learnt from in a second."""
    report = folder / f"{kind}-{time.time_ns()}.jsonl"
    pl.seed_everything(0, verbose=False)
    encoder = partial(KINDS[kind], hidden_size=arguments.size, num_layers=2)
    module = SequenceModule(CharGeneration(embedding_size=EMBEDDING), encoder, schedule=Constant)
    trainer = bare_trainer(
        "bf16-mixed",
        accelerator="gpu" if arguments.device == "cuda" else "cpu",
        callbacks=[StepClock(str(report), arguments.warm, arguments.seconds)],
    )
    trainer.fit(module, datamodule=data)
    line = json.loads(report.read_text(encoding="utf-8"))
    return float(line["tokens_per_second"])


def symbols(data: TextFile) -> int:
    """Return the size of the data's alphabet."""
    return len(vocabulary_from_spec(data.spec()["vocabulary"]))


def training(folder: Path, arguments: argparse.Namespace) -> str:
    """Time both in turn for each kind of layer; return tables."""
    sizes = {"batch_size": arguments.batch_size, "seq_len": 50, "validation": 0.0}
    data = TextFile(**sizes, cache=str(folder / "cache"))
    data.setup("fit")
    most = peak(torch.device(arguments.device), arguments.product)
    lines = [f"Large products in bfloat16: {most / 1e12:.1f} TFLOP/s."]
    for kind in arguments.encoders:
        pairs = [
            (bare_rate(kind, data, arguments), own_rate(kind, data, arguments, folder))
            for _ in range(arguments.pairs)
        ]
        reached = statistics.median(ours for _, ours in pairs) * operations(
            kind, arguments.size, symbols(data)
        )
        lines += [
            f"{kind}: {reached / 1e12:.2f} TFLOP/s, {reached / most:.1%} of the roofline.",
            table("characters/s", "bare loop, float32", "seqforge in bf16-mixed", pairs),
        ]
        print(*lines[-2:], sep="\n\n", flush=True)
    return "\n\n".join(lines)


# -- stepping -------------------------------------------------------------------------------------


class Captured:
    """A step whose work on the GPU is one graph, started by one call (CUDA graphs).

    It reads and writes memory of its own, always the same: answers are overwritten by the next
    step, and a state is handed in by being copied there.

    Args:
        step: What is captured, for so many rows as `tokens` has.
        tokens: `(N,)`, an example.
        state: The state before it.
    """

    def __init__(self, step: Step, tokens: Tensor, state: State) -> None:
        self._tokens, self._state = tokens.clone(), map_state(Tensor.clone, state)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # what libraries set up at a first call is not captured
            for _ in range(3):
                step(self._tokens, self._state)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._out = step(self._tokens, self._state)

    def __call__(self, tokens: Tensor, state: State) -> StepOut:
        """Read a token per row, as the step that was captured does."""
        self._tokens.copy_(tokens)
        for own, given in zip(leaves(self._state), leaves(state), strict=True):
            own.copy_(given)
        self._graph.replay()
        return self._out


def stepping(folder: Path, arguments: argparse.Namespace) -> str:
    """Time the ways of writing in turn; return a table."""
    device = torch.device(arguments.device)
    data = TextFile(cache=str(folder / "cache"))
    data.setup("fit")
    words = vocabulary_from_spec(data.spec()["vocabulary"])
    embedding = nn.Embedding(len(words), EMBEDDING)
    encoder = LSTM(EMBEDDING, arguments.size, num_layers=2)
    model = LanguageModel(words, embedding, encoder, Head(arguments.size, len(words)))
    for part in (embedding, encoder, model.head):
        part.to(device).eval()
    loop, lines = PerStep(model).to(device).eval(), ["| rows | way | steps/s | times nn.LSTM |"]
    lines.append("|---|---|---|---|")
    for rows in arguments.rows:
        tokens = torch.ones(rows, dtype=torch.int64, device=device)
        start = map_state(lambda leaf: leaf.to(device), encoder.start(rows))
        theirs = map_state(lambda leaf: leaf.to(device), loop.start(rows))
        with torch.inference_mode():
            ways: dict[str, tuple[Step, State]] = {
                "nn.LSTM": (loop, theirs),
                "stepper": (model.steps(), start),
            }
            if device.type == "cuda":
                captured = Captured(model.steps(), tokens, start)
                ways["stepper in a CUDA graph"] = (captured, start)
            rates = {
                name: statistics.median(
                    steps_a_second(step, tokens, state, arguments) for _ in range(arguments.pairs)
                )
                for name, (step, state) in ways.items()
            }
        for name, rate in rates.items():
            lines.append(f"| {rows} | {name} | {rate:,.0f} | {rate / rates['nn.LSTM']:.2f} |")
    return "\n".join(lines)


def steps_a_second(
    step: Step,
    tokens: Tensor,
    state: State,
    arguments: argparse.Namespace,
) -> float:
    """Return the steps a second of greedy writing, which waits for each character."""
    started = 0.0
    for number in range(arguments.steps + 10):
        if number == 10:
            started = time.perf_counter()
        log_probs, state, _ = step(tokens, state)
        tokens = log_probs.argmax(dim=1)
        tokens.tolist()
    return float(arguments.steps / (time.perf_counter() - started))


# -- recipes --------------------------------------------------------------------------------------


def recipes(folder: Path, arguments: argparse.Namespace) -> str:
    """Run the recipes with each seed; return a table of seconds and last measures.

    Raises:
        SystemExit: The data are not there, or a run failed.
    """
    place = Path(os.environ.get("SEQFORGE_DATA", "data"))
    lines = ["| recipe | seed | s | last measures |", "|---|---|---|---|"]
    for name, path in RECIPES.items():
        if not (place / path).exists():
            sys.exit(f"there is no {place / path}: set SEQFORGE_DATA to the folder of data sets")
        for seed in arguments.seeds:
            run = f"{name}-{seed}-{time.time_ns()}"
            words = ["--config", f"configs/recipes/{name}.yaml", "--data.path", str(place / path)]
            words += ["--trainer.default_root_dir", str(folder), "--run", run]
            words += ["--seed_everything", str(seed), "--trainer.accelerator"]
            words += ["gpu" if arguments.device == "cuda" else "cpu"]
            started = time.perf_counter()
            command = [sys.executable, "-m", "seqforge", "fit", *words, *arguments.options]
            done = subprocess.run(command, check=False, timeout=LIMIT)
            if done.returncode != 0:
                sys.exit(f"{name}, seed {seed}: it ended with {done.returncode}")
            seconds = time.perf_counter() - started
            lines.append(f"| {name} | {seed} | {seconds:.0f} | {last_measures(folder / run)} |")
            print(lines[-1], flush=True)
    return "\n".join(lines)


def last_measures(run: Path) -> str:
    """Return the last value of each measure of validation that a run has written."""
    found: dict[str, str] = {}
    with (run / "logs" / "metrics.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found |= {name: row[name] for name in row if name.startswith("val/") and row[name]}
    return ", ".join(f"{name} {float(value):.4f}" for name, value in found.items())


PARTS: dict[str, Callable[[Path, argparse.Namespace], str]] = {
    "training": training,
    "stepping": stepping,
    "recipes": recipes,
}
QUICK = {"pairs": 1, "seconds": 0.2, "size": 16, "batch_size": 8, "steps": 5, "product": 64}


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["training", "stepping"])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--encoders", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--pairs", type=int, default=5, help="how often all are timed")
    parser.add_argument("--seconds", type=float, default=5.0, help="training: of a window")
    parser.add_argument("--warm", type=int, default=10, help="training: steps before it")
    parser.add_argument("--size", type=int, default=512, help="of the layers")
    parser.add_argument("--batch-size", type=int, default=128, help="training")
    parser.add_argument("--product", type=int, default=8192, help="training: of the roofline's")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 16, 128], help="stepping")
    parser.add_argument("--steps", type=int, default=300, help="stepping: in a measurement")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="recipes")
    parser.add_argument("--options", nargs="*", default=[], help="recipes: more words for fit")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter throughout")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    if parser.parse_args(words).quick:
        parser.set_defaults(**QUICK)
    return parser.parse_args(words)


def main() -> None:
    """Run from the command line."""
    arguments = parsed()
    quiet_libraries()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("there is no GPU here; --device cpu --quick shows that this script runs")
    with tempfile.TemporaryDirectory() as folder:
        texts = [PARTS[name](Path(folder), arguments) for name in arguments.parts]
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else platform.machine()
    texts.append(f"{name}, torch {torch.__version__}, CUDA {torch.version.cuda}.")
    text = "\n\n".join(texts) + "\n"
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
