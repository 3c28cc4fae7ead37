"""Time seqforge beside its peers, and put the results into one table.

    export SEQFORGE_DATA=FOLDER    # tinyshakespeare, multi30k, timeseries and flickr8k in it
    for peer in keras joeynmt neuralforecast; do
        python -m venv PEERS/$peer && PEERS/$peer/bin/pip install torch==2.13.0
    done
    PEERS/keras/bin/pip install keras==3.15.1 jax==0.10.2
    PEERS/joeynmt/bin/pip install sentencepiece==0.2.0 joeynmt==2.3.0 importlib_metadata
    PEERS/neuralforecast/bin/pip install neuralforecast==3.3.0
    python -m benchmarks.peers_table steps loss --work WORK --peers PEERS
    python -m benchmarks.peers_table steps --subjects character --work WORK --peers PEERS

`steps`: all systems of a subject train in turn, round by round (`benchmarks/step_turns.py`);
ratios are taken within a round. `loss`: each trains once, alone, from the start of its process
until the mean of ten batches is below the subject's loss. What is measured is written to WORK,
piece by piece, and not measured again; without an action the table is made of what is there.
A peer whose folder is not in PEERS is left out, and so are systems that `--only` does not name.
`--output` gets the page. `--quick` shows that all of it runs: bare PyTorch
and seqforge only, tiny.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import character_peers, joeynmt, sequence_peers
from benchmarks.peers_page import Account, page
from benchmarks.step_turns import System, in_turn, to_loss


@dataclass(frozen=True)
class Subject:
    """Something that several systems train.

    Attributes:
        account: What the page says of it.
        systems: Given the arguments, those that can run; the first is ours as it comes.
        target: Loss in nats that is to be reached; None: the systems' losses are not the same.
    """

    account: Account
    systems: Callable[[argparse.Namespace], list[System]]
    target: float | None


def characters(arguments: argparse.Namespace) -> list[System]:
    """Write text and batches; return the systems of the character model."""
    folder = arguments.work / "character" / "data"
    sizes = character_peers.Sizes(*arguments.sizes)
    if not (folder / "batches.npz").is_file():
        character_peers.prepare(folder, sizes)
    return character_peers.systems(folder, sizes, _python(arguments, "keras"))


def translation(arguments: argparse.Namespace) -> list[System]:
    """Write the data; return the systems of translation."""
    folder = arguments.work / "translation" / "data"
    joeynmt.prepare(_data() / "multi30k", folder)
    return sequence_peers.translation(folder, arguments.threads, _python(arguments, "joeynmt"))


def forecasting(arguments: argparse.Namespace) -> list[System]:
    """Return the systems of forecasting."""
    table = _data() / "timeseries" / "ETTh1.csv.gz"
    if not table.is_file():
        sys.exit(f"there is no {table}: set SEQFORGE_DATA to the folder with timeseries")
    return sequence_peers.forecasting(table, _python(arguments, "neuralforecast"))


def captioning(arguments: argparse.Namespace) -> list[System]:
    """Make features up; return the systems of captioning."""
    features = sequence_peers.made_up(arguments.work / "captioning" / "data", PHOTOS)
    return sequence_peers.captioning(_data() / "flickr8k" / "captions.jsonl.gz", features)


PHOTOS = 2000
"""Whose captions are learnt."""

SUBJECTS = {
    "character": Subject(
        Account(
            "Character model",
            "characters",
            "The lecture's: embeddings of 128, an LSTM of 2 layers of 512, 128 lanes of "
            "tinyshakespeare, 50 characters a step, the state carried on; AdamW, clipped at a norm "
            "of 1. All read the same batches. Keras on PyTorch begins each batch with a fresh "
            "state: its stateful layers cannot be trained there (version 3.15, "
            "`peers/keras_runner.py`). Initial weights are each system's own.",
        ),
        characters,
        2.2,
    ),
    "translation": Subject(
        Account(
            "Translation",
            "target tokens",
            "Multi30k, English to French, as in [Beside JoeyNMT](../joeynmt.md): the same network "
            "and data; JoeyNMT's batches have other sentences and more padding, so rates are of "
            "real target tokens. The loss is the smoothed cross-entropy, to which JoeyNMT's "
            "divergence is brought by adding the entropy of its targets.",
        ),
        translation,
        5.5,
    ),
    "forecasting": Subject(
        Account(
            "Forecasting",
            "windows",
            "ETTh1, 96 hours to the next 96, an LSTM of 2 layers of 128, 1,024 windows a step, "
            "Adam. neuralforecast maps each of the last 96 outputs to a value, seqforge the last "
            "one to all 96. A time to a loss is not given: neuralforecast's loss is in the scale "
            "of each window, ours in that of the series. The backtest is in "
            "[Forecasting](../forecasting.md).",
        ),
        forecasting,
        None,
    ),
    "captioning": Subject(
        Account(
            "Captioning",
            "captions",
            "The network of [Flickr8k](../flickr8k.md) on captions of 2,000 of its photos and "
            "made-up features, 64 captions a step, against the popular tutorial's loop; ours "
            "through `SequenceModule`.",
        ),
        captioning,
        4.5,
    ),
}


def measure_steps(name: str, arguments: argparse.Namespace) -> None:
    """Train the systems of a subject in turn, unless that was done."""
    file = arguments.work / name / "steps.json"
    if file.is_file():
        return
    systems = _chosen(SUBJECTS[name].systems(arguments), arguments.only)
    results = in_turn(
        systems,
        arguments.work / name / "steps",
        threads=arguments.threads,
        warm=arguments.warm,
        rounds=arguments.rounds,
        seconds=arguments.seconds,
    )
    _write(file, results)


def measure_loss(name: str, arguments: argparse.Namespace) -> None:
    """Train each system of a subject to its loss, unless that was done."""
    subject = SUBJECTS[name]
    target = subject.target if arguments.target is None else arguments.target
    if target is None:
        return
    for system in _chosen(subject.systems(arguments), arguments.only):
        file = arguments.work / name / f"loss-{system.slug}.json"
        if file.is_file():
            continue
        folder = arguments.work / name / "loss"
        limits = {"threads": arguments.threads, "limit": arguments.limit}
        _write(file, to_loss(system, folder, target=target, **limits))


ACTIONS = {"steps": measure_steps, "loss": measure_loss}


def _data() -> Path:
    return Path(os.environ.get("SEQFORGE_DATA", "data")).resolve()


def _python(arguments: argparse.Namespace, peer: str) -> Path | None:
    """Return a peer's Python, not resolved: a virtual environment is known by its own path."""
    if arguments.peers is None or arguments.quick:
        return None
    python: Path = arguments.peers.absolute() / peer / "bin" / "python"
    return python if python.is_file() else None


def _chosen(systems: list[System], only: Sequence[str]) -> list[System]:
    return [each for each in systems if not only or any(word in each.name for word in only)]


def _write(file: Path, measured: object) -> None:
    """Write a piece whole or not at all, as a run may be ended at any time."""
    passing = file.with_suffix(".part")
    passing.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    passing.replace(file)


QUICK = {
    "subjects": ["character"],
    "rounds": 1,
    "seconds": 0.2,
    "sizes": [16, 8, 20],
    "limit": 60.0,
    "target": 4.2,
    "only": ["seqforge, fp32", "bare PyTorch, fp32"],
}


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments.

    Args:
        words: What was given; None: on the command line.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("actions", nargs="*", help="steps, loss")
    parser.add_argument("--work", type=Path, required=True, help="the folder for everything")
    parser.add_argument("--peers", type=Path, help="the folder of the peers' environments")
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--only", nargs="+", default=[], help="words in names of systems")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="steps: of a turn")
    parser.add_argument("--warm", type=int, default=3, help="steps: taken before the rounds")
    parser.add_argument("--limit", type=float, default=300.0, help="loss: seconds at most")
    parser.add_argument("--target", type=float, help="loss: instead of the subject's")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs=3,
        default=[512, 128, 50],
        help="character: hidden size, batch size, characters of a step",
    )
    parser.add_argument("--quick", action="store_true", help="one subject, tiny")
    parser.add_argument("--output", type=Path, help="write the Markdown here as well")
    if parser.parse_args(words).quick:
        parser.set_defaults(**QUICK)
    arguments = parser.parse_args(words)
    if unknown := {*arguments.actions} - ACTIONS.keys():
        parser.error(f"{', '.join(sorted(unknown))}: the actions are {', '.join(ACTIONS)}")
    return arguments


def main(words: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    arguments = parsed(words)
    # Ended from outside, it still ends what it has started: half of that stands stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    arguments.work = arguments.work.resolve()
    for action in arguments.actions:
        for name in arguments.subjects:
            ACTIONS[action](name, arguments)
    text = page(arguments.work, {name: each.account for name, each in SUBJECTS.items()})
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
