"""The lecture's character model by bare PyTorch, by Keras 3 and by seqforge, on the same batches.

A 2-layer LSTM of 512 reads embeddings of 128, 128 lanes of text at a time, 50 characters in a step,
the state carried on; AdamW at 0.002 with a decay of 0.01, clipped at a norm of 1. The batches are
those that seqforge cuts from the text: peers read them from a file, `seqforge fit` the text itself.
Initial weights are each system's own. `benchmarks/peers_table.py` is the command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.step_turns import System
from seqforge.data import TokenBatch
from seqforge.text import vocabulary_from_spec
from seqforge_tasks.char_generation import TextFile
from seqforge_tasks.char_generation.data import builtin_text

PEERS = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True)
class Sizes:
    """Of the model and its batches.

    Attributes:
        hidden_size: Of either LSTM layer.
        batch_size: Lanes.
        seq_len: Characters of a step.
    """

    hidden_size: int = 512
    batch_size: int = 128
    seq_len: int = 50


def text() -> str:
    """Return tinyshakespeare, if it is there; else the text that comes with Python."""
    file = Path(os.environ.get("SEQFORGE_DATA", "data")) / "tinyshakespeare" / "input.txt"
    return file.read_text(encoding="utf-8") if file.is_file() else builtin_text()


def prepare(folder: Path, sizes: Sizes) -> None:
    """Write `text.txt`, and its batches as `batches.npz`.

    Args:
        folder: Made, if it is not there.
        sizes: Of the batches.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "text.txt"
    if not file.is_file():
        file.write_text(text(), encoding="utf-8")
    data = TextFile(**text_options(folder, sizes))
    data.prepare_data()
    data.setup("fit")
    inputs, targets = [], []
    for batch in data.train_dataloader():
        assert isinstance(batch, TokenBatch)
        # The last step of an epoch may be shorter; peers that compile take one shape only.
        if batch.inputs.shape == (sizes.batch_size, sizes.seq_len):
            inputs.append(batch.inputs.numpy())
            targets.append(batch.targets.numpy())
    np.savez(
        folder / "batches.npz",
        inputs=np.stack(inputs),
        targets=np.stack(targets),
        characters=len(vocabulary_from_spec(data.spec()["vocabulary"])),
    )


def text_options(folder: Path, sizes: Sizes) -> dict[str, Any]:
    """Return the options of seqforge's data."""
    return {
        "path": str(folder / "text.txt"),
        "batch_size": sizes.batch_size,
        "seq_len": sizes.seq_len,
        "validation": 0.0,
        "cache": str(folder / "cache"),
    }


def own_settings(data: Path, run: Path, sizes: Sizes, precision: str | None) -> dict[str, Any]:
    """Return the configuration of `seqforge fit`.

    Args:
        data: What `prepare` has written.
        run: The folder of the run and of the log.
        sizes: Of the model and its batches.
        precision: Of the trainer; None: what seqforge chooses.
    """
    trainer = {
        "max_epochs": 1000,
        "default_root_dir": str(run / "runs"),
        "callbacks": [
            {
                "class_path": "benchmarks.step_log.StepLog",
                "init_args": {"log": str(run / "steps.jsonl")},
            }
        ],
    }
    if precision is not None:
        trainer["precision"] = precision
    return {
        "seed_everything": 0,
        "model": {
            "encoder": {
                "class_path": "LSTM",
                "init_args": {"hidden_size": sizes.hidden_size, "num_layers": 2},
            },
            "task": {"class_path": "CharGeneration", "init_args": {"embedding_size": 128}},
            "optimizer": {
                "class_path": "torch.optim.AdamW",
                "init_args": {"lr": 0.002, "weight_decay": 0.01},
            },
            "schedule": {"class_path": "Constant"},
        },
        "data": {"class_path": "TextFile", "init_args": text_options(data, sizes)},
        "trainer": trainer,
    }


def fit(settings: dict[str, Any], run: Path) -> list[object]:
    """Write a configuration into the folder of a run; return the words that train by it."""
    config = run / "config.yaml"
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    # A name of its own each time: seqforge would go on with a run that is there already.
    name = f"run-{len([*run.glob('runs/*')])}"
    return [sys.executable, "-m", "seqforge", "fit", "--config", config, "--run", name]


def systems(data: Path, sizes: Sizes, keras_python: Path | None) -> list[System]:
    """Return ours, then its peers.

    Args:
        data: What `prepare` has written.
        sizes: Of the model and its batches.
        keras_python: A Python with Keras 3, JAX and PyTorch; None: there are no such peers.
    """
    hidden = ("--hidden-size", sizes.hidden_size)

    def own(run: Path, precision: str | None) -> Sequence[object]:
        return fit(own_settings(data, run, sizes, precision), run)

    def bare(run: Path, precision: str) -> Sequence[object]:
        runner = (sys.executable, PEERS / "torch_characters.py", data / "batches.npz")
        return [*runner, "--precision", precision, *hidden, "--log", run / "steps.jsonl"]

    def keras(run: Path, backend: str, policy: str) -> Sequence[object]:
        runner = ("env", f"KERAS_BACKEND={backend}", keras_python, PEERS / "keras_runner.py")
        log = ("--policy", policy, *hidden, "--log", run / "steps.jsonl")
        return [*runner, data / "batches.npz", *log]

    found = [
        System("seqforge, as it comes", partial(own, precision=None)),
        System("seqforge, fp32", partial(own, precision="32-true")),
        System("bare PyTorch, fp32", partial(bare, precision="fp32")),
        System("bare PyTorch, bf16", partial(bare, precision="bf16")),
    ]
    if keras_python is not None:
        for backend, policy in (
            ("jax", "float32"),
            ("jax", "mixed_bfloat16"),
            ("torch", "float32"),
        ):
            precision = "bf16" if policy == "mixed_bfloat16" else "fp32"
            system = partial(keras, backend=backend, policy=policy)
            found.append(System(f"Keras 3 on {backend}, {precision}", system))
    return found
