"""Time a step of seqforge over a bare PyTorch loop of the same network, and what checkpoints cost.

    python benchmarks/overhead.py --output docs/results/overhead.md

Both train the same `CharGeneration` network (2-layer LSTM of 512, batch 128, 50 steps, the
lecture's) on the same batches in the same precision with AdamW and clipping; one after the other,
several times. The bare loop is what one would write by hand; seqforge runs through a Trainer with
the command line's callbacks and loggers. The ratio is taken pair by pair, its median reported.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from seqforge.cli.quiet import quiet_libraries
from seqforge.cli.trainer_settings import default_loggers
from seqforge.data import TokenBatch
from seqforge.encoders import LSTM, EncoderFactory
from seqforge.precision import training_precision
from seqforge.state import detach
from seqforge.task import Progress
from seqforge.training import (
    AtomicCheckpointIO,
    Checkpointer,
    RandomState,
    Samples,
    SequenceModule,
)
from seqforge_tasks.char_generation import CharGeneration, TextFile

WARM = 3
"""Steps that are not counted."""


class Clock(pl.Callback):
    """Notes when each step ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: Any) -> None:
        """Note the time."""
        self.ends.append(time.perf_counter())


def _data(batch_size: int, seq_len: int) -> TextFile:
    data = TextFile(batch_size=batch_size, seq_len=seq_len, validation=0.0)
    data.setup("fit")
    return data


def bare(arguments: argparse.Namespace, precision: str) -> list[float]:
    """Train by a plain loop; return the seconds of each counted step."""
    pl.seed_everything(0, verbose=False)
    data = _data(arguments.batch_size, arguments.seq_len)
    task = CharGeneration()
    task.build(EncoderFactory(_encoder(arguments)), data.spec())
    optimizer = torch.optim.AdamW(task.parameters(), lr=0.002, weight_decay=0.01, fused=True)
    state, progress, ends = task.start(arguments.batch_size), Progress(0, 0, 0.0), []
    for index, batch in enumerate(data.train_dataloader()):
        if index == arguments.steps:
            break
        assert isinstance(batch, TokenBatch)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"):
            loss = task.loss(batch, state, progress)
        term = loss.terms["loss"]
        (term.total / term.count).backward()
        torch.nn.utils.clip_grad_norm_(task.parameters(), 1.0)
        optimizer.step()
        state = detach(loss.state)
        ends.append(time.perf_counter())
    return _steps(ends)


def framework(arguments: argparse.Namespace, precision: str, folder: Path) -> list[float]:
    """Train by seqforge; return the seconds of each counted step."""
    pl.seed_everything(0, verbose=False)
    clock = Clock()
    trainer = pl.Trainer(
        accelerator="cpu",
        precision=precision,  # type: ignore[arg-type]
        max_steps=arguments.steps,
        gradient_clip_val=1.0,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        logger=default_loggers(folder, 0),
        callbacks=[clock, RandomState(), Samples(every_epochs=0), Checkpointer()],
        plugins=[AtomicCheckpointIO()],
    )
    module = SequenceModule(CharGeneration(), _encoder(arguments))
    data = TextFile(batch_size=arguments.batch_size, seq_len=arguments.seq_len, validation=0.0)
    trainer.fit(module, datamodule=data)
    started = time.perf_counter()
    trainer.save_checkpoint(folder / "timed.ckpt", weights_only=False)
    arguments.checkpoint_seconds = time.perf_counter() - started
    arguments.checkpoint_bytes = (folder / "timed.ckpt").stat().st_size
    return _steps(clock.ends)


def _encoder(arguments: argparse.Namespace) -> Any:
    return partial(LSTM, hidden_size=arguments.hidden_size, num_layers=2)


def _steps(ends: list[float]) -> list[float]:
    return [after - before for before, after in zip(ends[WARM:], ends[WARM + 1 :], strict=False)]


def report(arguments: argparse.Namespace, precision: str, pairs: list[tuple[float, float]]) -> str:
    """Return the results as a page."""
    ratios = [ours / theirs for ours, theirs in pairs]
    cost = arguments.checkpoint_seconds / 300.0
    lines = [
        "# What the framework costs",
        "",
        f"Command: `python benchmarks/overhead.py`. 2-layer LSTM of {arguments.hidden_size}, batch "
        f"{arguments.batch_size}, {arguments.seq_len} characters, {precision}, AdamW, clipping; "
        f"{arguments.steps} steps a run, {len(pairs)} pairs one after the other; "
        f"{os.cpu_count()} cores, {platform.machine()}, torch {torch.__version__}.",
        "",
        "| pair | bare loop, ms a step | seqforge, ms a step | ratio |",
        "|---|---|---|---|",
    ]
    for number, ((ours, theirs), ratio) in enumerate(zip(pairs, ratios, strict=True), 1):
        lines.append(f"| {number} | {1e3 * theirs:.1f} | {1e3 * ours:.1f} | {ratio:.4f} |")
    lines += [
        "",
        f"Median ratio: **{statistics.median(ratios):.4f}** (a run's figure is its median step).",
        "",
        f"A checkpoint of {arguments.checkpoint_bytes / 2**20:.0f} MiB takes "
        f"{arguments.checkpoint_seconds:.2f} s; one every 5 minutes is {100 * cost:.2f} % of time.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the pairs and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--hidden-size", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seq-len", type=int, default=50)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    quiet_libraries()
    precision, pairs = training_precision("cpu"), []
    for _ in range(arguments.pairs):
        theirs = statistics.median(bare(arguments, precision))
        with tempfile.TemporaryDirectory() as folder:
            ours = statistics.median(framework(arguments, precision, Path(folder)))
        pairs.append((ours, theirs))
        print(f"{1e3 * theirs:.1f} ms  {1e3 * ours:.1f} ms  {ours / theirs:.4f}", flush=True)
    page = report(arguments, precision, pairs)
    print(page)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
