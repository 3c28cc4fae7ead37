"""Time writing, one character at a time, by each engine.

    python -m benchmarks.generation_speed
    python -m benchmarks.generation_speed --checkpoint runs/NAME

The network is an LSTM, 2 layers of 512, trained for a while on the text that ships with Python, or
that of a checkpoint. Five ways write the same: a loop that calls `nn.LSTM` once a step, with head
and seqforge's sampling; `--engine torch`; a bare loop over an ONNX Runtime session of the exported
step; `--engine onnx`; `--engine int8`. They are timed in turn, A B C D E A B …, after a round that
is not counted; ratios are taken round by round, their median and range reported. Then: how long it
takes merely to read the weights of a step, what held-out text costs in float32 and in 8 bits, and
the time from the loaded network to its first character.
`--quick` shows that all of it runs.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

import seqforge
from benchmarks.bare_trainer import bare_trainer
from seqforge.cli.quiet import quiet_libraries
from seqforge.decoding import Step, StepOut, sample
from seqforge.encoders import LSTM
from seqforge.engines import ExportedStep, export_step, quantize
from seqforge.state import State, leaves, repeat
from seqforge.training import SequenceModule
from seqforge_tasks.char_generation import CharGeneration, GenerationOptions, TextFile
from seqforge_tasks.char_generation.data import builtin_text
from seqforge_tasks.char_generation.language_model import LanguageModel
from seqforge_tasks.char_generation.token_network import TokenNetwork

LOOP, RAW = "nn.LSTM", "bare ONNX Runtime"
TEMPERATURE = 0.8

RATIOS = (("torch", LOOP), ("onnx", LOOP), ("int8", LOOP), ("onnx", RAW))


class PerStep(nn.Module):
    """The loop's network: one `nn.LSTM` for all layers, called for each character.

    Args:
        model: Whose weights it has; an LSTM without layer norm and residuals.
    """

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        layers: Any = model.encoder.layers
        size = model.encoder.output_size
        self.embedding, self.head = model.embedding, model.head
        self.lstm = nn.LSTM(model.encoder.input_size, size, len(layers), batch_first=True)
        with torch.no_grad():
            for number, layer in enumerate(layers):
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    own: Tensor = getattr(self.lstm, f"{name}_l{number}")
                    own.copy_(getattr(layer.rnn, f"{name}_l0"))

    def forward(self, tokens: Tensor, state: State) -> StepOut:
        """Read tokens `(N,)`; the state is `(h, c)`, each `(N, L, H)`."""
        hidden, cell = (leaf.transpose(0, 1).contiguous() for leaf in state)
        outputs, after = self.lstm(self.embedding(tokens)[:, None], (hidden, cell))
        log_probs = self.head(outputs[:, 0]).log_softmax(dim=-1)
        return StepOut(log_probs, tuple(leaf.transpose(0, 1) for leaf in after))

    def start(self, rows: int) -> State:
        """Return zeros."""
        zeros = torch.zeros(rows, self.lstm.num_layers, self.lstm.hidden_size)
        return zeros, zeros


def written(step: Step, first: Tensor, state: State, length: int) -> Tensor:
    """Write by seqforge's sampling; return the tokens (N, length)."""
    steps = sample(step, first, state, length=length, temperature=TEMPERATURE)
    return torch.stack([each.tokens for each in steps], dim=1)


def written_raw(
    session: onnxruntime.InferenceSession, first: Tensor, state: State, length: int
) -> Tensor:
    """Do the same as a bare loop over a session."""
    names = [each.name for each in session.get_inputs()]
    tokens, arrays = first.numpy(), [leaf.numpy() for leaf in leaves(state)]
    generators = [torch.Generator().manual_seed(seed) for seed in range(len(first))]
    found = []
    for _ in range(length):
        log_probs, *arrays = session.run(None, dict(zip(names, [tokens, *arrays], strict=True)))
        scores = torch.from_numpy(log_probs).double() / TEMPERATURE
        pairs = zip(scores.softmax(dim=1), generators, strict=True)
        drawn = [torch.multinomial(row, 1, generator=chance) for row, chance in pairs]
        found.append(torch.cat(drawn))
        tokens = found[-1].numpy()
    return torch.stack(found, dim=1)


def known_only(step: Step, unknown: int) -> Step:
    """Never write the unknown character."""

    def run(tokens: Tensor, state: State) -> StepOut:
        answer = step(tokens, state)
        answer.log_probs[:, unknown] = -torch.inf
        return answer

    return run


def ways(model: LanguageModel, graphs: dict[str, bytes]) -> dict[str, Callable[..., Tensor]]:
    """Return the five ways, each `(rows, length) -> tokens`, with as many threads as torch now."""
    unknown = model.vocabulary.unknown
    assert unknown == 0
    first, state = model.begin("")
    loop, options = PerStep(model).eval(), onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(
        graphs["onnx"], options, providers=["CPUExecutionProvider"]
    )

    def by(step: Step, rows: int, length: int) -> Tensor:
        return written(step, first.repeat(rows), repeat(state, rows), length)

    def by_loop(rows: int, length: int) -> Tensor:
        step = known_only(loop, unknown)
        return written(step, first.repeat(rows), loop.start(rows), length)

    def by_session(rows: int, length: int) -> Tensor:
        return written_raw(session, first.repeat(rows), repeat(state, rows), length)

    steps = {name: ExportedStep(graph, state) for name, graph in graphs.items()}
    return {
        LOOP: by_loop,
        "torch": partial(by, model.stepper()),
        RAW: by_session,
        **{name: partial(by, step) for name, step in steps.items()},
    }


def rates(
    chosen: Mapping[str, Callable[..., Tensor]], rows: int, length: int, rounds: int
) -> dict[str, list[float]]:
    """Run all ways in turn, once before the time; return each one's characters a second."""
    found: dict[str, list[float]] = {name: [] for name in chosen}
    for number in range(rounds + 1):
        for name, way in chosen.items():
            started = time.perf_counter()
            way(rows, length)
            seconds = time.perf_counter() - started
            if number > 0:
                found[name].append(rows * length / seconds)
    return found


def speed(model: LanguageModel, arguments: argparse.Namespace) -> str:
    """Time all ways for each number of threads and rows; return tables."""
    network = TokenNetwork(model.embedding, model.encoder, model.head, model.never())
    graph = export_step(network, model.encoder.start(1))
    graphs = {"onnx": graph, "int8": quantize(graph)}
    names = [LOOP, "torch", RAW, "onnx", "int8"]
    titles = [f"{ours} / {theirs}" for ours, theirs in RATIOS]
    lines = []
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        chosen = ways(model, graphs)
        lines += ["", f"Characters a second (median), {threads} threads:", ""]
        lines += [f"| rows | {' | '.join([*names, *titles])} |"]
        lines += ["|---" * (1 + len(names) + len(titles)) + "|"]
        for rows, length in zip(arguments.rows, arguments.lengths, strict=True):
            found = rates(chosen, rows, length, arguments.pairs)
            cells = [f"{statistics.median(found[name]):,.0f}" for name in names]
            for ours, theirs in RATIOS:
                each = [a / b for a, b in zip(found[ours], found[theirs], strict=True)]
                middle, low, high = statistics.median(each), min(each), max(each)
                cells.append(f"**{middle:.2f}** ({low:.2f} to {high:.2f})")
            lines.append(f"| {rows} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    return "\n".join(lines[1:])


def reading(size: int, threads: Sequence[int]) -> str:
    """Time the mere reading of a step's weights, by a sum: a step can hardly be faster.

    Two layers of `H` read three recurrent or input matrices `(4 H, H)` a step; the first layer's
    input product is a look-up.
    """
    lines = ["| threads | float32, µs | 8 bits, µs |", "|---|---|---|"]
    for number in threads:
        torch.set_num_threads(number)
        cells = []
        for parts in (1, 4):  # a quarter of the memory
            memory = torch.ones(3 * 4 * size * size // parts)
            seconds = []
            for _ in range(300):
                started = time.perf_counter()
                memory.sum()
                seconds.append(time.perf_counter() - started)
            cells.append(f"{1e6 * statistics.median(seconds):,.0f} ({1e6 * min(seconds):,.0f})")
        lines.append(f"| {number} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "Median of 300, in brackets the shortest."])


def likelihood(task: CharGeneration, text: str) -> str:
    """Return what a text costs in nats a character, by each engine."""
    nats = {
        engine: task.score(text, engine=engine).nats_per_unit
        for engine in ("torch", "onnx", "int8")
    }
    lines = ["| engine | nats a character | more than torch |", "|---|---|---|"]
    for engine, value in nats.items():
        lines.append(f"| {engine} | {value:.5f} | {value - nats['torch']:+.5f} |")
    return "\n".join([*lines, "", f"{len(text):,} characters of held-out text."])


def first_character(task: CharGeneration) -> str:
    """Return the time to the first character, by each engine, the first time and later."""
    lines = ["| engine | first time, ms | again (median of 5), ms |", "|---|---|---|"]
    for engine in ("torch", "onnx", "int8"):
        seconds = []
        for _ in range(6):
            started = time.perf_counter()
            next(iter(task.stream("", GenerationOptions(length=1, echo=False, engine=engine))))
            seconds.append(time.perf_counter() - started)
        again = statistics.median(seconds[1:])
        lines.append(f"| {engine} | {1e3 * seconds[0]:,.1f} | {1e3 * again:,.1f} |")
    return "\n".join(lines)


def trained(data: TextFile, arguments: argparse.Namespace) -> CharGeneration:
    """Return a network that has learnt for a while."""
    pl.seed_everything(0, verbose=False)
    task = CharGeneration()
    encoder = partial(LSTM, hidden_size=arguments.size, num_layers=2)
    trainer = bare_trainer(arguments.precision, max_steps=arguments.training)
    trainer.fit(SequenceModule(task, encoder), datamodule=data)
    return task.eval()


def held_out(data: TextFile, count: int) -> str:
    """Return the first characters of the validation part of the text that ships with Python."""
    text = builtin_text()
    return text[math.ceil((1 - data.validation) * len(text)) :][:count]


PARTS = ["speed", "reading", "likelihood", "first"]
QUICK = {"pairs": 1, "lengths": [3, 2, 2], "training": 2, "size": 16, "scored": 60}


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--checkpoint", type=Path, help="a run of `configs/char_generation.yaml`'s kind"
    )
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, help="of the report")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 16, 128], help="texts at once")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1000, 200, 40], help="for each")
    parser.add_argument("--pairs", type=int, default=5, help="how often all are timed")
    parser.add_argument("--size", type=int, default=512, help="of the LSTM")
    parser.add_argument("--training", type=int, default=400, help="steps of training before")
    parser.add_argument("--precision", default="bf16-mixed", help="of training")
    parser.add_argument(
        "--text", type=Path, help="its end is scored; else the data's held-out part"
    )
    parser.add_argument("--scored", type=int, default=5000, help="characters of held-out text")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter throughout")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    if parser.parse_args(words).quick:
        parser.set_defaults(**QUICK)
    return parser.parse_args(words)


def measured(arguments: argparse.Namespace) -> str:
    """Measure everything; return it as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        data = TextFile(seq_len=64, batch_size=32, cache=folder)
        if arguments.checkpoint is None:
            task = trained(data, arguments)
        else:
            loaded = seqforge.load(arguments.checkpoint)
            assert isinstance(loaded, CharGeneration)
            task = loaded
        text = (
            held_out(data, arguments.scored)
            if arguments.text is None
            else arguments.text.read_text(encoding="utf-8")[-arguments.scored :]
        )
    torch.set_num_threads(arguments.threads[-1])
    parts = {
        "first": lambda: first_character(task),
        "likelihood": lambda: likelihood(task, text),
        "reading": lambda: reading(arguments.size, arguments.threads),
        "speed": lambda: speed(task.language_model, arguments),
    }  # in this order: what is first is the first thing that the network does
    found = [part() for name, part in parts.items() if name in arguments.parts]
    versions = f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {versions}.\n"
    return "\n\n".join([*reversed(found), machine])


def main() -> None:
    """Run from the command line."""
    arguments = parsed()
    quiet_libraries()
    text = measured(arguments)
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
