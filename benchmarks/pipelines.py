"""Time what each task's data costs training, and how soon training starts.

    python benchmarks/pipelines.py --output FILE.md
    python benchmarks/pipelines.py --quick      # that it runs; its figures mean nothing

`loading`: for each offline default in `configs/`, and for the readers of files on small made-up
ones, steps of its own network on the loader's batches against the same steps on batches that lie
ready in memory, in turn, batch by batch, in a process of `seqforge fit`; in the share of the rate
each batch counts with its quickest step of all rounds. A first epoch may cost more, where pictures
are drawn or read that are then kept: its share is given beside it. `start`: seconds from the start
of a process of `seqforge fit` to the end of the first step, first with an empty folder, then with
the caches that the first one has left. `help`: seconds of `seqforge --help`.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # for the other files of this folder

from benchmarks.forecasting_speed import table  # noqa: E402

CONFIGS = HERE.parent / "configs"
DEFAULTS = ("char_generation", "translation", "forecasting", "captioning", "video_captioning")
Settings = dict[str, Any]


# -- what is run ------------------------------------------------------------------------------


def default(name: str) -> Settings:
    """Return an offline default, without its comments."""
    settings: Settings = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    return settings


def _with_data(name: str, data: str, **options: object) -> Settings:
    settings = default(name)
    settings["data"] = {"class_path": data, "init_args": options}
    return settings


def text_file(folder: Path) -> Settings:
    """A text of 2,000 lines, about 120,000 characters."""
    words = _words()
    lines = [" ".join(words.choices(WORDS, k=12)) for _ in range(2000)]
    (folder / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = str(folder / "text.txt")
    return _with_data("char_generation", "TextFile", path=path, seq_len=64, batch_size=32)


def parallel_text(folder: Path) -> Settings:
    """3,000 pairs of lines of 4 to 24 words."""
    words = _words()
    for part, count in (("train", 3000), ("val", 50)):
        lines = [words.choices(WORDS, k=words.randint(4, 24)) for _ in range(count)]
        for language, order in (("en", 1), ("fr", -1)):
            text = "".join(" ".join(line[::order]) + "\n" for line in lines)
            (folder / f"{part}.{language}").write_text(text, encoding="utf-8")
    places = {"path": str(folder), "source": "en", "target": "fr"}
    return _with_data("translation", "ParallelText", **places, vocabulary_size=300)


def time_series(folder: Path) -> Settings:
    """5 series of 3,000 hours."""
    path = folder / "series.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", *"abcde"])
        for hour in range(3000):
            moment = datetime(2024, 1, 1) + timedelta(hours=hour)
            values = [math.sin(hour / (4 + k)) + 0.1 * math.cos(hour * k) for k in range(5)]
            writer.writerow([moment, *(f"{value:.4f}" for value in values)])
    sizes = {"context": 128, "horizon": 48, "batch_size": 256, "calibration": 0.5}
    return _with_data("forecasting", "TimeSeries", path=str(path), **sizes)


def image_captions(folder: Path) -> Settings:
    """60 photos of 96 pixels with five captions each; features of a frozen network, cached."""
    import numpy as np
    from PIL import Image

    words, noise = _words(), np.random.default_rng(0)
    with (folder / "captions.jsonl").open("w", encoding="utf-8") as file:
        for number in range(60):
            name = f"{number}.png"
            Image.fromarray(noise.integers(0, 255, (96, 96, 3), np.uint8)).save(folder / name)
            captions = [" ".join(words.choices(WORDS, k=words.randint(6, 14))) for _ in range(5)]
            row = {"file": name, "captions": captions, "split": "train" if number < 50 else "test"}
            file.write(json.dumps(row) + "\n")
    recipe = {"path": str(folder), "select": 10, "image_size": 224, "batch_size": 64}
    return _with_data("recipes/flickr8k", "ImageCaptions", **recipe)


WORDS = [f"{first}{middle}{last}" for first in "bdfk" for middle in "aeiou" for last in "lnrst"]


def _words() -> random.Random:
    return random.Random(0)


FILES: dict[str, Callable[[Path], Settings]] = {
    "TextFile": text_file,
    "ParallelText": parallel_text,
    "TimeSeries": time_series,
    "ImageCaptions": image_captions,
}


# -- how it is run ----------------------------------------------------------------------------


class Runs:
    """Processes of `seqforge`, each reporting to a file.

    Args:
        folder: Everything goes there; it exists.
        threads: Of torch.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder = folder
        self.threads = threads

    def fit(
        self, name: str, settings: Settings, place: str, clock: str, **options: object
    ) -> dict[str, Any]:
        """Run `seqforge fit` with a callback; return the line that the callback has written.

        Args:
            name: Of the configuration, the log and the report.
            settings: The configuration.
            place: Name of the folder for runs and caches.
            clock: The callback's class.
            options: Its arguments, beside the report.

        Raises:
            SystemExit: The process failed.
        """
        report = self.folder / f"{name}.json"
        report.unlink(missing_ok=True)
        callback = {"class_path": clock, "init_args": {"report": str(report), **options}}
        trainer = settings["trainer"] | {
            "callbacks": [callback],
            "default_root_dir": str(self.folder / place / "runs"),
            "limit_val_batches": 0,
            "accelerator": "cpu",
        }
        config = self.folder / f"{name}.yaml"
        config.write_text(yaml.safe_dump(settings | {"trainer": trainer}), encoding="utf-8")
        self.run(name, "fit", "--config", str(config), "--run", f"run{time.time_ns()}")
        line: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return line

    def run(self, name: str, *words: str) -> float:
        """Run `seqforge`; return its seconds.

        Raises:
            SystemExit: It failed.
        """
        log = self.folder / f"{name}.log"
        environment = os.environ | {
            "OMP_NUM_THREADS": str(self.threads),
            "PYTHONPATH": str(HERE.parent),
        }
        command = [sys.executable, "-m", "seqforge", *words]
        started = time.perf_counter()
        with log.open("wb") as file:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, stdout=file, stderr=file, check=False
            )
        if done.returncode != 0:
            sys.exit(f"it ended with {done.returncode}, see {log}: {' '.join(command)}")
        return time.perf_counter() - started


def loading(runs: Runs, name: str, settings: Settings, arguments: argparse.Namespace) -> str:
    """Return the rates of both and the share of the rate, as Markdown."""
    counts = {"steps": arguments.steps, "rounds": arguments.rounds}
    clock = "benchmarks.pipeline_clock.LoadingClock"
    line = runs.fit(f"loading-{name}", settings, f"{name}-loading", clock, **counts)
    pairs = [(kept, loaded) for kept, loaded in line["pairs"]]
    share = line["share"]
    first = line["first"]
    print(f"{name}: {share:.3f}, at first {first:.3f}", flush=True)
    shown = table("batches/s", "ready-made", "loaded", pairs)
    return f"{name}, **{share:.1%}** of the rate ({first:.1%} in the first epoch):\n\n{shown}"


def start(runs: Runs, name: str, settings: Settings, arguments: argparse.Namespace) -> str:
    """Return a row on the seconds to the first step, with an empty folder and with a cache."""
    seconds: dict[str, list[float]] = {"empty": [], "cached": []}
    for number in range(arguments.starts):
        for state in seconds:
            began = time.time()
            line = runs.fit(
                f"start-{name}-{number}-{state}",
                settings,
                f"{name}-start-{number}",
                "benchmarks.pipeline_clock.FirstStep",
            )
            seconds[state].append(line["ended"] - began)
    print(f"{name}: {seconds}", flush=True)
    cells = [
        f"{statistics.median(each):.1f} ({min(each):.1f} to {max(each):.1f})"
        for each in seconds.values()
    ]
    return f"| {name} | {cells[0]} | {cells[1]} |"


def measure(folder: Path, arguments: argparse.Namespace) -> str:
    """Measure everything; return it as Markdown."""
    runs = Runs(folder, arguments.threads)
    parts, chosen = ["## Loading", ""], {name: default(name) for name in arguments.defaults}
    made = {}
    for name in arguments.files:
        place = folder / f"made-{name}"
        place.mkdir()
        made[name] = FILES[name](place)
    for name, settings in (chosen | made).items():
        parts += [loading(runs, name, settings, arguments), ""]
    parts += ["## Start to the end of the first step", ""]
    parts += ["| configuration | empty folder, s | with its caches, s |", "|---|---|---|"]
    parts += [start(runs, name, settings, arguments) for name, settings in chosen.items()]
    helps = [runs.run("help", "--help") for _ in range(max(arguments.starts, 3))]
    parts += ["", f"`seqforge --help`: {statistics.median(helps):.2f} s."]
    return "\n".join(parts)


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--defaults", nargs="*", choices=DEFAULTS, default=list(DEFAULTS))
    parser.add_argument("--files", nargs="*", choices=FILES, default=list(FILES))
    parser.add_argument("--steps", type=int, default=25, help="loading: of each kind in a round")
    parser.add_argument("--rounds", type=int, default=5, help="loading: how many")
    parser.add_argument("--starts", type=int, default=3, help="start: how often")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, help="the folder for everything; else a passing one")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    parser.add_argument("--quick", action="store_true", help="one round of three steps, one start")
    arguments = parser.parse_args(words)
    if arguments.quick:
        vars(arguments).update(steps=3, rounds=1, starts=1)
    return arguments


def main() -> None:
    """Run from the command line."""
    arguments = parsed()
    with tempfile.TemporaryDirectory() as passing:
        folder = (arguments.work or Path(passing)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        text = measure(folder, arguments)
    text += f"\n\n{arguments.threads} threads, {platform.platform()}.\n"
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
