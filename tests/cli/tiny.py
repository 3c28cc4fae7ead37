"""A run that takes a second: a text of sixteen characters, a network of eight units."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import torch
import yaml

import seqforge.cli.fit  # noqa: F401 - imported before any test, as it sets variables of libraries
from seqforge.cli.main import main

WORDS = ("the", "cat", "sat", "on", "a", "mat", "and", "saw", "two", "dogs", "in", "fog")
CONFIG = """
model:
  encoder: {class_path: LSTM, init_args: {hidden_size: 8}}
  task: {class_path: CharGeneration, init_args: {embedding_size: 8, sample_length: 12}}
data: {class_path: TextFile, init_args: {path: small.txt, seq_len: 10, batch_size: 4}}
trainer: {max_epochs: 1, accelerator: cpu, devices: 1}
"""


def text(lines: int = 40) -> str:
    """Return lines of eight words each, always the same."""
    chance = random.Random(0)
    return "\n".join(" ".join(chance.choices(WORDS, k=8)) for _ in range(lines))


def write_inputs(folder: Path) -> None:
    """Write the text and the configuration into a folder."""
    (folder / "small.txt").write_text(text(), encoding="utf-8")
    (folder / "tiny.yaml").write_text(CONFIG, encoding="utf-8")


def weights(checkpoint: Path) -> dict[str, Any]:
    """Return a checkpoint's weights as plain lists."""
    import torch

    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    return {name: value.tolist() for name, value in state.items()}


def saved(file: Path) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def finished_run(folder: Path) -> Path:
    """Train in a folder, which then has the inputs as well; return the run's own folder."""
    before = Path.cwd()
    write_inputs(folder)
    os.chdir(folder)
    torch.set_num_threads(1)
    try:
        assert main(["fit", "--config", "tiny.yaml", "--run", "one"]) == 0
    finally:
        os.chdir(before)
    return folder / "runs" / "one"
