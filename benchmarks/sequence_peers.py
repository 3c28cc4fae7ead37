"""Translation, forecasting and captioning by seqforge and by a peer that people use for it.

Translation: JoeyNMT, as `benchmarks/joeynmt.py` has it. Forecasting: neuralforecast's LSTM of two
layers of 128, 96 hours of ETTh1 to the next 96, 1,024 windows a step, against `Forecasting` in mode
"direct". Captioning: the popular tutorial's loop, as `benchmarks/captioning_speed.py` has it.
`benchmarks/peers_table.py` is the command.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks import joeynmt
from benchmarks.captioning_material import made_up_features
from benchmarks.captioning_speed import FEATURES, GRID
from benchmarks.character_peers import PEERS, fit
from benchmarks.step_turns import System

OWN = {"seqforge, as it comes": None, "seqforge, fp32": "32-true"}
"""Ours, and the trainer's precision; None: what seqforge chooses."""


def translation(data: Path, threads: int, peer_python: Path | None) -> list[System]:
    """Return ours, then JoeyNMT.

    Args:
        data: What `joeynmt.prepare` has written.
        threads: Of torch.
        peer_python: A Python with JoeyNMT; None: there is no peer.
    """

    def own(run: Path, precision: str | None) -> Sequence[object]:
        settings = joeynmt.own_settings(data, run / "runs", precision)
        return fit(_timed(settings, run), run)

    def peer(run: Path) -> Sequence[object]:
        settings = joeynmt.peer_settings(data, run / "model", threads)
        settings["training"]["epochs"] = 1000
        config = run / "peer.yaml"
        config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        runner = PEERS / "joeynmt_runner.py"
        return [str(peer_python), runner, "steps", config, "--report", run / "steps.jsonl"]

    found = [System(name, partial(own, precision=precision)) for name, precision in OWN.items()]
    return found if peer_python is None else [*found, System("JoeyNMT, fp32", peer)]


def forecasting_settings(table: Path, run: Path) -> dict[str, Any]:
    """Return the configuration of our network, of the peer's size.

    Args:
        table: ETTh1.
        run: The folder of the run.
    """
    return {
        "seed_everything": 0,
        "model": {
            "encoder": {"class_path": "LSTM", "init_args": {"hidden_size": 128, "num_layers": 2}},
            "task": {
                "class_path": "Forecasting",
                "init_args": {"mode": "direct", "normalisation": "standard", "units": "scaled"},
            },
            "optimizer": {
                "class_path": "torch.optim.Adam",
                "init_args": {"lr": 0.001, "weight_decay": 0.0},
            },
            "schedule": {"class_path": "Constant"},
        },
        "data": {
            "class_path": "TimeSeries",
            "init_args": {
                "path": str(table),
                "context": 96,
                "horizon": 96,
                "split": "steps",
                "train": 8640,
                "validation": 2880,
                "test": 2880,
                "batch_size": 1024,
            },
        },
        "trainer": {"gradient_clip_val": None, "default_root_dir": str(run / "runs")},
    }


def forecasting(table: Path, peer_python: Path | None) -> list[System]:
    """Return ours, which trains in float32 by itself, then neuralforecast.

    Args:
        table: ETTh1.
        peer_python: A Python with neuralforecast; None: there is no peer.
    """

    def own(run: Path) -> Sequence[object]:
        return fit(_timed(forecasting_settings(table, run), run), run)

    def peer(run: Path) -> Sequence[object]:
        runner = (str(peer_python), PEERS / "neuralforecast_steps.py", table)
        return [*runner, "--log", run / "steps.jsonl"]

    found = [System("seqforge, as it comes", own)]
    return found if peer_python is None else [*found, System("neuralforecast, fp32", peer)]


def made_up(folder: Path, photos: int) -> Path:
    """Return the file of features of photos, written if it is not there.

    Args:
        folder: For the file.
        photos: Their number.
    """
    file = folder / "features.npy"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(file, made_up_features(photos, GRID, FEATURES))
    return file


def captioning(captions: Path, features: Path) -> list[System]:
    """Return ours, then the tutorial's loop as published and as one would mend it.

    Args:
        captions: Of Flickr8k; made up where there are none.
        features: What `made_up` has written.
    """

    def side(run: Path, words: Sequence[str]) -> Sequence[object]:
        runner = (sys.executable, PEERS / "captioning_steps.py")
        return [*runner, words[0], captions, features, *words[1:], "--log", run / "steps.jsonl"]

    return [
        System("seqforge, bf16", partial(side, words=("own",))),
        System("seqforge, fp32", partial(side, words=("own", "--precision", "32-true"))),
        System("the tutorial, fp32", partial(side, words=("tutorial",))),
        System(
            "the tutorial, keys computed once, fp32",
            partial(side, words=("tutorial", "--keys-once")),
        ),
    ]


def _timed(settings: dict[str, Any], run: Path) -> dict[str, Any]:
    """Add the log to a configuration, and take validation out, which peers have not either."""
    log = {
        "class_path": "benchmarks.step_log.StepLog",
        "init_args": {"log": str(run / "steps.jsonl")},
    }
    settings["trainer"] |= {"max_epochs": 1000, "limit_val_batches": 0, "callbacks": [log]}
    return settings
