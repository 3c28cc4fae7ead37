"""Time the training, backtest and loading of forecasting, and measure its memory.

    export SEQFORGE_DATA=FOLDER        # timeseries/ETTh1.csv.gz in it
    python benchmarks/forecasting_speed.py train --precisions 32-true bf16-mixed
    python benchmarks/forecasting_speed.py precision
    python benchmarks/forecasting_speed.py loading
    python benchmarks/forecasting_speed.py memory
    python -m venv PEER
    PEER/bin/pip install torch==2.13.0 neuralforecast==3.3.0
    python benchmarks/forecasting_speed.py backtest --peer-python PEER/bin/python

`train`: steps of `seqforge fit` against a plain eager float32 loop of the same network, SegRNN at
look-back 720, horizon 96, 7 channels, 64 windows a batch (`peers/segrnn.yaml`,
`peers/segrnn_loop.py`). `precision`: the test MSE of `configs/recipes/etth1.yaml` in float32 and in
bfloat16. `backtest`: all test windows of ETTh1 by an LSTM of 2 layers of 128 against
neuralforecast's. `loading`: training steps on the loader's batches against the same on ready-made
ones. `memory`: of 10,000 series of 1,000 points. All are timed in turn, A B A B …, each in a
process of its own but for `loading`; the ratio is taken pair by pair, its median reported.
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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
CUTS = 2785
"""Cut-offs of ETTh1's test part at a horizon of 96."""


@dataclass(frozen=True)
class Bench:
    """A folder in which processes are run and report what they have measured.

    Attributes:
        folder: Configurations, logs, runs and reports go there; it exists.
        table: ETTh1, packed or not.
        threads: Of torch, everywhere.
    """

    folder: Path
    table: Path
    threads: int

    def measured(self, name: str, *command: object) -> dict[str, Any]:
        """Run a command whose last words are `--report`; return the line that it wrote there.

        Args:
            name: Of the report and the log.
            command: Words.
        """
        self._run(name, *command, self._report(name))
        return self._line(name)

    def own(self, action: str, name: str, *options: object) -> dict[str, Any]:
        """Run a part of `forecasting_runner.py`; return its line."""
        runner = HERE / "forecasting_runner.py"
        place = ("--table", self.table)
        return self.measured(name, sys.executable, runner, action, *place, *options, "--report")

    def fit(self, name: str, settings: dict[str, Any]) -> Path:
        """Run `seqforge fit`; return the folder of the run."""
        # A name of its own each time: seqforge would go on with a run that is there already.
        run = f"{name}-{time.time_ns()}"
        self._run(name, *self._seqforge("fit", name, settings), "--run", run)
        return self.folder / "runs" / run

    def window(self, name: str, settings: dict[str, Any], arguments: argparse.Namespace) -> float:
        """Train by `seqforge fit` for a while; return the rows it learnt from in a second."""
        clock = {
            "class_path": "benchmarks.step_clock.StepClock",
            "init_args": {
                "report": str(self._report(name)),
                "warm": arguments.warm,
                "seconds": arguments.seconds,
            },
        }
        settings["trainer"] |= {"max_epochs": 1000, "callbacks": [clock]}
        self.fit(name, settings)
        return float(self._line(name)["tokens_per_second"])

    def tested(self, name: str, settings: dict[str, Any], checkpoint: Path) -> dict[str, Any]:
        """Run `seqforge test`; return the measures."""
        measures = {
            "class_path": "benchmarks.measures_file.MeasuresFile",
            "init_args": {"report": str(self._report(name))},
        }
        settings["trainer"] |= {"callbacks": [measures]}
        self._run(name, *self._seqforge("test", name, settings), "--ckpt_path", checkpoint)
        return self._line(name)

    def _seqforge(self, action: str, name: str, settings: dict[str, Any]) -> list[object]:
        settings["data"]["init_args"] |= {"path": str(self.table)}
        settings["trainer"] |= {"default_root_dir": str(self.folder / "runs"), "accelerator": "cpu"}
        config = self.folder / f"{name}.yaml"
        config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return [sys.executable, "-m", "seqforge", action, "--config", config]

    def _report(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def _line(self, name: str) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(self._report(name).read_text(encoding="utf-8"))
        return line

    def _run(self, name: str, *command: object) -> None:
        self._report(name).unlink(missing_ok=True)
        words, log = [str(word) for word in command], self.folder / f"{name}.log"
        environment = os.environ | {
            "OMP_NUM_THREADS": str(self.threads),
            "PYTHONPATH": str(HERE.parent),
        }
        with log.open("wb") as file:
            done = subprocess.run(
                words, cwd=self.folder, env=environment, stdout=file, stderr=file, check=False
            )
        if done.returncode != 0:
            sys.exit(f"it ended with {done.returncode}, see {log}: {' '.join(words)}")


def table(unit: str, peer: str, own: str, pairs: Sequence[tuple[float, float]]) -> str:
    """Return the rates of both and their ratios as Markdown.

    Args:
        unit: What is counted, in a second.
        peer: Whose rate is the first.
        own: Whose rate is the second.
        pairs: Both rates, one pair after the other.
    """
    ratios = [ours / theirs for theirs, ours in pairs]
    lines = [f"| pair | {peer}, {unit} | {own}, {unit} | ratio |", "|---|---|---|---|"]
    for number, ((theirs, ours), ratio) in enumerate(zip(pairs, ratios, strict=True), start=1):
        lines.append(f"| {number} | {theirs:,.1f} | {ours:,.1f} | {ratio:.2f} |")
    return "\n".join([*lines, "", f"Median ratio: **{statistics.median(ratios):.2f}**."])


def segrnn_settings(size: int, precision: str) -> dict[str, Any]:
    """Return seqforge's configuration of the network that `peers/segrnn_loop.py` has.

    Args:
        size: Of the hidden state and of embeddings.
        precision: Of the trainer.
    """
    settings: dict[str, Any] = yaml.safe_load((HERE / "peers" / "segrnn.yaml").read_text())
    model = settings["model"]
    model["encoder"]["init_args"]["hidden_size"] = size
    model["task"]["init_args"] |= {"embedding_size": size, "identity": size // 2}
    settings["trainer"]["precision"] = precision
    return settings


def train(bench: Bench, arguments: argparse.Namespace) -> str:
    """Time windows of training of both in turn, in each precision of ours."""
    window = ("--warm", arguments.warm, "--seconds", arguments.seconds, "--size", arguments.size)
    loop = (sys.executable, HERE / "peers" / "segrnn_loop.py", bench.table, *window)
    pairs: dict[str, list[tuple[float, float]]] = {each: [] for each in arguments.precisions}
    for number in range(1, arguments.pairs + 1):
        for precision, measured in pairs.items():
            line = bench.measured(f"loop-{precision}-{number}", *loop, "--report")
            settings = segrnn_settings(arguments.size, precision)
            ours = bench.window(f"fit-{precision}-{number}", settings, arguments)
            measured.append((line["rows_per_second"], ours))
            print(f"{precision} {number}: {measured[-1]}", flush=True)
    tables = [
        table("rows/s", "eager loop in float32", f"seqforge in {precision}", measured)
        for precision, measured in pairs.items()
    ]
    return "\n\n".join([*tables, "A row is one channel's window: a step has 448 of them.\n"])


def precision(bench: Bench, arguments: argparse.Namespace) -> str:
    """Train the recipe in float32 and in bfloat16; return the measures of both."""
    lines = ["| trained in | test MSE | test MAE |", "|---|---|---|"]
    errors = []
    for chosen in arguments.precisions:
        settings = yaml.safe_load((HERE.parent / "configs/recipes/etth1.yaml").read_text())
        settings["trainer"]["precision"] = chosen
        if arguments.epochs:
            settings["trainer"]["max_epochs"] = arguments.epochs
        if arguments.batches:
            settings["trainer"] |= {
                f"limit_{part}_batches": arguments.batches for part in ("train", "val", "test")
            }
        run = bench.fit(f"recipe-{chosen}", settings)
        measures = bench.tested(f"measures-{chosen}", settings, run)
        errors.append(measures["test/mse"])
        lines.append(f"| {chosen} | {measures['test/mse']:.4f} | {measures['test/mae']:.4f} |")
        print(lines[-1], flush=True)
    apart = max(errors) - min(errors)
    return "\n".join([*lines, "", f"They lie **{apart:.4f}** apart in MSE; evaluation is float32."])


def backtest(bench: Bench, arguments: argparse.Namespace) -> str:
    """Time backtests of the trained networks in turn."""
    runner = HERE / "peers" / "neuralforecast_runner.py"
    windows = ("--windows", arguments.windows)
    limit = () if arguments.batches is None else ("--batches", arguments.batches)
    ways: dict[str, tuple[object, ...]] = {
        "a window for each cut-off": limit,
        "all cut-offs of a series in one pass (`every_step`, `carried`)": ("--every-step",),
    }
    pairs: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for number in range(1, arguments.pairs + 1):
        for place, (way, options) in enumerate(ways.items(), start=1):
            rate = float("nan")
            if arguments.peer_python is not None:
                name = f"neuralforecast-{place}-{number}"
                peer = (arguments.peer_python.absolute(), runner, bench.table, *windows)
                rate = bench.measured(name, *peer, "--report")["windows_per_second"]
            line = bench.own("backtest", f"backtest-{place}-{number}", *options)
            pairs[way].append((rate, line["windows_per_second"]))
            print(f"{way}, {number}: {pairs[way][-1]}", flush=True)
    return "\n\n".join(
        f"{way}:\n\n{table('windows/s', 'neuralforecast', 'seqforge', measured)}"
        for way, measured in pairs.items()
    )


def loading(bench: Bench, arguments: argparse.Namespace) -> str:
    """Time training steps on loaded and on ready-made batches; return the share of the rate."""
    counts = ("--pairs", arguments.pairs, "--steps", arguments.steps, "--batch-size", 448)
    shares = bench.own("loading", "loading", *counts)
    return "\n\n".join(
        f"{name}:\n\n"
        + table(
            "batches/s",
            "ready-made",
            "loaded",
            list(zip(share["ready"], share["loaded"], strict=True)),
        )
        for name, share in shares.items()
    )


def memory(bench: Bench, arguments: argparse.Namespace) -> str:
    """Measure the memory of many series."""
    sizes = ("--series", arguments.series, "--points", arguments.points, "--steps", arguments.steps)
    line = bench.own("memory", "memory", *sizes)
    return "\n".join(
        [
            "| series | points | file, MiB | model, MiB | peak above, MiB | kept above, MiB |",
            "|---|---|---|---|---|---|",
            f"| {line['series']:,} | {line['points']:,} | {line['file_mebibytes']:.0f} | "
            f"{line['model_mebibytes']:.0f} | **{line['peak_above_mebibytes']:.0f}** | "
            f"{line['kept_above_mebibytes']:.0f} |",
        ]
    )


ACTIONS = {
    "train": train,
    "precision": precision,
    "backtest": backtest,
    "loading": loading,
    "memory": memory,
}


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--work", type=Path, help="the folder for everything; else a passing one")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--pairs", type=int, default=5, help="how often both are timed")
    parser.add_argument("--seconds", type=float, default=30.0, help="train: of a window")
    parser.add_argument("--warm", type=int, default=3, help="train: steps before it")
    parser.add_argument("--size", type=int, default=512, help="train: of the hidden state")
    parser.add_argument("--precisions", nargs="+", default=["32-true", "bf16-mixed"])
    parser.add_argument("--epochs", type=int, help="precision: instead of the recipe's")
    parser.add_argument("--batches", type=int, help="precision, backtest: of each part, at most")
    parser.add_argument("--peer-python", type=Path, help="backtest: Python with neuralforecast 3.3")
    parser.add_argument("--windows", type=int, default=CUTS, help="backtest: the peer's cut-offs")
    parser.add_argument("--steps", type=int, default=30, help="loading, memory: of training")
    parser.add_argument("--series", type=int, default=10_000, help="memory: how many")
    parser.add_argument("--points", type=int, default=1000, help="memory: of each")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    return parser.parse_args(words)


def main() -> None:
    """Run from the command line."""
    arguments = parsed()
    root = os.environ.get("SEQFORGE_DATA", "")
    etth1 = Path(root) / "timeseries" / "ETTh1.csv.gz"
    if arguments.action != "memory" and not etth1.is_file():
        sys.exit(f"there is no {etth1}: set SEQFORGE_DATA to the folder with timeseries")
    with tempfile.TemporaryDirectory() as passing:
        folder = (arguments.work or Path(passing)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, etth1.resolve(), arguments.threads)
        text = ACTIONS[arguments.action](bench, arguments)
    text += f"\n\n{arguments.threads} threads, {platform.machine()}, {platform.platform()}.\n"
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
