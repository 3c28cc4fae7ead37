"""Train and decode one translation network by seqforge and by JoeyNMT 2.3, in turn.

    python -m venv PEER
    PEER/bin/pip install torch==2.13.0 sentencepiece==0.2.0 joeynmt==2.3.0 importlib_metadata
    export SEQFORGE_DATA=FOLDER        # multi30k/train.lc.norm.tok.en.gz, … .fr.gz, val… in it
    python benchmarks/joeynmt.py quality --peer-python PEER/bin/python --work WORK
    python benchmarks/joeynmt.py speed --peer-python PEER/bin/python --work WORK

Both learn English to French from Multi30k's official lower-cased tokenised files, with one joint
sentencepiece model of 8,000 pieces, a bidirectional GRU of 512 as encoder, a GRU of 512 with
general attention as decoder, embeddings of 256, and 4,096 tokens a batch. `peers/joeynmt.yaml` and
`peers/seqforge.yaml` are what they are told. `quality` trains both for the same number of epochs
and compares their BLEU on the validation part, tokenised; `speed` times short windows of training,
A B A B …, and then beam search from the checkpoints of `quality`. Tokens are real target tokens,
end marks counted and padding not. Everything is written to the folder WORK.
"""

from __future__ import annotations

import argparse
import gzip
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
from sacrebleu import BLEU
from sentencepiece import SentencePieceProcessor

from seqforge.text import train_subwords

HERE = Path(__file__).resolve().parent
PIECES = 8000
MARKS = 4
"""Pieces that are no text, at the beginning of the model; the peer has its own."""
LANGUAGES = ("en", "fr")
PARTS = ("train", "val")


def prepare(source: Path, folder: Path) -> None:
    """Unpack the data, train the joint vocabulary on its training part.

    Args:
        source: The folder of Multi30k's packed files.
        folder: Gets `train.en`, `train.fr`, `val.en`, `val.fr`, `joint.model` and `joint.pieces`.
    """
    if (folder / "joint.pieces").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    texts = {}
    for part in PARTS:
        for language in LANGUAGES:
            packed = source / f"{part}.lc.norm.tok.{language}.gz"
            if not packed.is_file():
                sys.exit(f"there is no {packed}: set SEQFORGE_DATA to the folder of multi30k")
            texts[part, language] = gzip.decompress(packed.read_bytes()).decode("utf-8")
            (folder / f"{part}.{language}").write_text(texts[part, language], encoding="utf-8")
    lines = [
        line for each in LANGUAGES for line in texts["train", each].removesuffix("\n").split("\n")
    ]
    model = train_subwords(lines, size=PIECES).model
    processor = SentencePieceProcessor(model_proto=model)
    pieces = [processor.id_to_piece(number) for number in range(MARKS, len(processor))]
    (folder / "joint.model").write_bytes(model)
    (folder / "joint.pieces").write_text("\n".join(pieces) + "\n", encoding="utf-8")


def peer_settings(data: Path, model_folder: Path, threads: int) -> dict[str, Any]:
    """Return JoeyNMT's configuration for the data in a folder.

    Args:
        data: What `prepare` has written.
        model_folder: Emptied when a run begins, then its checkpoints go there.
        threads: Of torch.
    """
    settings: dict[str, Any] = yaml.safe_load((HERE / "peers" / "joeynmt.yaml").read_text())
    settings |= {"model_dir": str(model_folder), "threads": threads}
    settings["data"] |= {"train": str(data / "train"), "dev": str(data / "val")}
    for side in ("src", "trg"):
        settings["data"][side] |= {
            "voc_file": str(data / "joint.pieces"),
            "tokenizer_cfg": {"model_file": str(data / "joint.model")},
        }
    return settings


def own_settings(data: Path, runs: Path, precision: str | None) -> dict[str, Any]:
    """Return seqforge's configuration for the data in a folder.

    Args:
        data: What `prepare` has written.
        runs: The folder of the runs.
        precision: Of the trainer; None: seqforge's own choice.
    """
    settings: dict[str, Any] = yaml.safe_load((HERE / "peers" / "seqforge.yaml").read_text())
    settings["data"]["init_args"] |= {"path": str(data), "cache": str(runs / "cache")}
    settings["trainer"]["default_root_dir"] = str(runs)
    if precision is not None:
        settings["trainer"]["precision"] = precision
    return settings


@dataclass(frozen=True)
class Bench:
    """A folder in which both systems are run, each time in a process of its own.

    Attributes:
        folder: Data, configurations, checkpoints and reports go there.
        peer_python: The Python that has JoeyNMT.
        threads: Of torch, on both sides.
        precision: Of our trainer; None: seqforge's own choice.
    """

    folder: Path
    peer_python: Path
    threads: int
    precision: str | None

    @property
    def data(self) -> Path:
        """The prepared data."""
        return self.folder / "data"

    def peer(
        self, action: str, name: str, *options: str, length: int | None = None
    ) -> list[dict[str, Any]]:
        """Run the peer; return the lines of its report.

        Args:
            action: "train", "window" or "decode".
            name: Of the configuration, the report, the log and the model's folder.
            options: More for the runner.
            length: Of every translation, in tokens; None: the network decides.
        """
        settings = peer_settings(self.data, self.folder / name, self.threads)
        if length is not None:
            settings["testing"] |= {"min_output_length": length, "max_output_length": length}
        config = self._write(f"{name}.yaml", settings)
        runner = HERE / "peers" / "joeynmt_runner.py"
        return self._run(name, self.peer_python, runner, action, config, *options, "--report")

    def own_window(self, name: str, warm: int, seconds: float) -> dict[str, Any]:
        """Train by `seqforge fit` for a while from the beginning; return its rate."""
        clock = _callback(
            "step_clock.StepClock", report=self._report(name), warm=warm, seconds=seconds
        )
        return self._fit(name, [clock], epochs=1000)

    def own_training(self, name: str, epochs: int) -> tuple[dict[str, Any], list[Path]]:
        """Train by `seqforge fit`; return its rate and the checkpoint of each epoch."""
        folder = self.folder / name
        clock = _callback("step_clock.StepClock", report=self._report(name), warm=0)
        copies = _callback("epoch_copies.EpochCopies", folder=folder)
        rate = self._fit(name, [clock, copies], epochs)
        return rate, [folder / f"epoch{number}.ckpt" for number in range(1, epochs + 1)]

    def own_decoding(self, name: str, checkpoint: Path, *options: str) -> list[dict[str, Any]]:
        """Translate the validation part from a checkpoint; return a line for each batch size."""
        runner, source = HERE / "peers" / "seqforge_runner.py", self.data / "val.en"
        return self._run(name, sys.executable, runner, checkpoint, source, *options, "--report")

    def _fit(self, name: str, callbacks: list[dict[str, Any]], epochs: int) -> dict[str, Any]:
        settings = own_settings(self.data, self.folder / "runs", self.precision)
        settings["trainer"] |= {
            "max_epochs": epochs,
            "limit_val_batches": 0,  # nor does the peer validate inside the time
            "enable_checkpointing": False,
            "callbacks": callbacks,
        }
        # A name of its own each time: seqforge would go on with a run that is there already.
        config, run = self._write(f"{name}.yaml", settings), f"{name}-{time.time_ns()}"
        fit = ["-m", "seqforge", "fit", "--config", config, "--run", run]
        (line,) = self._run(name, sys.executable, *fit)
        return line

    def _report(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def bleu(self, hypotheses: Sequence[str]) -> float:
        """Return the BLEU of translations of the validation part, already tokenised."""
        references = (self.data / "val.fr").read_text(encoding="utf-8").splitlines()
        return float(BLEU(tokenize="none").corpus_score(list(hypotheses), [references]).score)

    def _write(self, name: str, settings: dict[str, Any]) -> Path:
        file = self.folder / name
        file.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
        return file

    def _run(self, name: str, *command: object) -> list[dict[str, Any]]:
        report, log = self._report(name), self.folder / f"{name}.log"
        report.unlink(missing_ok=True)
        words = [str(word) for word in command]
        if words[-1] == "--report":
            words.append(str(report))
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
        if not report.is_file():
            return []
        return [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]


def _callback(class_path: str, **options: object) -> dict[str, Any]:
    plain = {
        key: str(value) if isinstance(value, Path) else value for key, value in options.items()
    }
    return {"class_path": f"benchmarks.{class_path}", "init_args": plain}


def table(unit: str, pairs: Sequence[tuple[float, float]]) -> str:
    """Return the rates of both and their ratios as Markdown.

    Args:
        unit: What is counted, in a second.
        pairs: The peer's rate and ours, one after the other.
    """
    ratios = [own / peer for peer, own in pairs]
    lines = [f"| pair | JoeyNMT, {unit} | seqforge, {unit} | ratio |", "|---|---|---|---|"]
    for number, ((peer, own), ratio) in enumerate(zip(pairs, ratios, strict=True), start=1):
        lines.append(f"| {number} | {peer:,.1f} | {own:,.1f} | {ratio:.2f} |")
    return "\n".join([*lines, "", f"Median ratio: **{statistics.median(ratios):.2f}**."])


def speed(bench: Bench, arguments: argparse.Namespace) -> str:
    """Time windows of training, then decoding, in turn; return Markdown."""
    window = ("--warm", str(arguments.warm), "--seconds", str(arguments.seconds))
    training = []
    for number in range(1, arguments.pairs + 1):
        (peer,) = bench.peer("window", f"peer-window-{number}", *window)
        own = bench.own_window(f"own-window-{number}", arguments.warm, arguments.seconds)
        training.append((peer["tokens_per_second"], own["tokens_per_second"]))
        print(f"training {number}: {training[-1]}", flush=True)
    parts = [table("target tokens/s", training)]
    peer_checkpoint = arguments.peer_checkpoint or bench.folder / "peer" / "latest.ckpt"
    own_checkpoint = (
        arguments.own_checkpoint or bench.folder / "own" / f"epoch{arguments.epochs}.ckpt"
    )
    if not (peer_checkpoint.exists() and own_checkpoint.exists()):
        return parts[0] + "\n\nDecoding was not timed: `quality` has left no checkpoints.\n"
    for precision in arguments.decode_precision:
        pairs = _decoding(bench, arguments, peer_checkpoint, own_checkpoint, precision)
        title = f"Beam search, 5 wide, ours in {precision}, the better of the batch sizes:"
        parts += [title, table("sentences/s", pairs)]
    return "\n\n".join(parts) + "\n"


def _decoding(
    bench: Bench,
    arguments: argparse.Namespace,
    peer_checkpoint: Path,
    own_checkpoint: Path,
    precision: str,
) -> list[tuple[float, float]]:
    """Time beam search of both in turn; return their sentences a second."""
    sizes = ("--batch-sizes", *map(str, arguments.batch_sizes))
    forced = () if arguments.length is None else ("--length", str(arguments.length))
    decoding = []
    for number in range(1, arguments.pairs + 1):
        peers = bench.peer(
            "decode",
            f"peer-decode-{number}",
            *("--checkpoint", str(peer_checkpoint), *sizes),
            length=arguments.length,
        )
        chosen = (*sizes, *forced, "--precision", precision)
        owns = bench.own_decoding(f"own-decode-{precision}-{number}", own_checkpoint, *chosen)
        both = [max(line["sentences_per_second"] for line in each) for each in (peers, owns)]
        decoding.append((both[0], both[1]))
        print(f"decoding in {precision}, {number}: {decoding[-1]}", flush=True)
    return decoding


def quality(bench: Bench, arguments: argparse.Namespace) -> str:
    """Train both for the same number of epochs; return their BLEU as Markdown."""
    *epochs, beam = bench.peer("train", "peer", "--epochs", str(arguments.epochs))
    theirs = [bench.bleu(line["greedy"]["hypotheses"]) for line in epochs]
    rate, checkpoints = bench.own_training("own", arguments.epochs)
    ours = []
    for checkpoint in checkpoints:
        (line,) = bench.own_decoding("own-greedy", checkpoint, "--beam-size", "1")
        ours.append(bench.bleu(line["hypotheses"]))
    (line,) = bench.own_decoding("own-beam", checkpoints[-1])
    lines = ["| after epoch | JoeyNMT, BLEU | seqforge, BLEU |", "|---|---|---|"]
    for number, (peer, own) in enumerate(zip(theirs, ours, strict=True), start=1):
        lines.append(f"| {number}, greedy | {peer:.2f} | {own:.2f} |")
    peer, own = bench.bleu(beam["beam"]["hypotheses"]), bench.bleu(line["hypotheses"])
    lines.append(f"| {arguments.epochs}, beam of 5 | {peer:.2f} | {own:.2f} |")
    peer = sum(each["tokens"] for each in epochs) / sum(each["seconds"] for each in epochs)
    lines += [
        "",
        f"Target tokens a second over all epochs: JoeyNMT {peer:,.0f}, seqforge "
        f"{rate['tokens_per_second']:,.0f}; one after the other, so `speed` is the better measure.",
    ]
    return "\n".join(lines) + "\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("speed", "quality"))
    parser.add_argument("--peer-python", type=Path, required=True, help="Python with JoeyNMT 2.3")
    parser.add_argument("--work", type=Path, help="the folder for everything; else a passing one")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--precision", help="our trainer's; by default what seqforge chooses")
    parser.add_argument(
        "--decode-precision",
        choices=("fp32", "bf16"),
        nargs="+",
        default=["fp32"],
        help="speed: of our matrix products while decoding; a table for each",
    )
    parser.add_argument("--epochs", type=int, default=3, help="of both")
    parser.add_argument("--pairs", type=int, default=3, help="speed: how often both are timed")
    parser.add_argument("--seconds", type=float, default=60.0, help="speed: of a window")
    parser.add_argument("--warm", type=int, default=5, help="speed: steps before it")
    parser.add_argument(
        "--length",
        type=int,
        help="speed: tokens of every translation, so that networks of few epochs can be compared",
    )
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64, 100])
    parser.add_argument("--peer-checkpoint", type=Path, help="speed: a .ckpt of JoeyNMT")
    parser.add_argument("--own-checkpoint", type=Path, help="speed: a .ckpt of ours")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    return parser.parse_args()


def main() -> None:
    """Run from the command line."""
    arguments = _arguments()
    root = os.environ.get("SEQFORGE_DATA")
    if not root:
        sys.exit("SEQFORGE_DATA is not set to the folder with multi30k")
    with tempfile.TemporaryDirectory() as passing:
        # Not resolved: a virtual environment's Python is a link, and known by its own path.
        peer_python = arguments.peer_python.absolute()
        folder = (arguments.work or Path(passing)).resolve()
        bench = Bench(folder, peer_python, arguments.threads, arguments.precision)
        prepare(Path(root) / "multi30k", bench.data)
        actions = {"speed": speed, "quality": quality}
        text = actions[arguments.action](bench, arguments)
    text += f"\n{arguments.threads} threads, {platform.machine()}, {platform.platform()}.\n"
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
