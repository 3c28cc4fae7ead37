"""Train the captioner of one side, ours or the tutorial's, and note each step.

    python benchmarks/peers/captioning_steps.py own CAPTIONS.jsonl.gz FEATURES.npy --log steps.jsonl
    python benchmarks/peers/captioning_steps.py tutorial CAPTIONS.jsonl.gz FEATURES.npy --log …

The network, the captions and the made-up features are those of `benchmarks/captioning_speed.py`,
whose `train` also shows that both compute the same loss and gradients. It trains until it is ended.
`benchmarks/peers_table.py` makes the features, so that the memory is that of training, and starts
it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch

from benchmarks.bare_trainer import bare_trainer
from benchmarks.captioning_material import (
    Material,
    built,
    captioning,
    encoder,
    known_words,
    made_up_captions,
    read_captions,
    shuffled,
    tutorial_of,
)
from benchmarks.captioning_speed import DROPOUT, FEATURES, GRID
from benchmarks.peers.captioning_tutorial import caption_loss, train_step
from benchmarks.peers.step_lines import StepLines
from benchmarks.step_log import StepLog
from seqforge.cli.memory import keep_memory
from seqforge.cli.quiet import quiet_libraries
from seqforge.training import Constant, SequenceModule


def tutorial(material: Material, arguments: argparse.Namespace) -> None:
    """Train as the tutorial does, from the weights that ours would start with."""
    data = material.data()
    task = built(captioning(GRID, FEATURES, DROPOUT), data, arguments.size)
    model = tutorial_of(task, DROPOUT, arguments.keys_once).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
    lines = StepLines(arguments.log)
    lines.begin(sum(each.numel() for each in model.parameters()), torch=torch.__version__)
    for batch in shuffled(material, known_words(data)):
        loss = caption_loss(model, *batch)
        train_step(model, optimizer, loss)
        lines.step(len(batch.lengths), loss.item())


def own(material: Material, arguments: argparse.Namespace) -> None:
    """Train by `SequenceModule`, with the memory kept as `seqforge fit` does."""
    keep_memory()
    pl.seed_everything(0, verbose=False)
    module = SequenceModule(
        captioning(GRID, FEATURES, DROPOUT), encoder(arguments.size), schedule=Constant
    )
    trainer = bare_trainer(arguments.precision, callbacks=[StepLog(str(arguments.log))])
    trainer.fit(module, datamodule=material.data())


SIDES = {"own": own, "tutorial": tutorial}


def main() -> None:
    """Run from the command line; trains until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("captions", type=Path, help="of Flickr8k; made up where there are none")
    parser.add_argument("features", type=Path, help="(N, P, C) float16, of each photo")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--precision", default="bf16-mixed", help="own: of the trainer")
    parser.add_argument("--keys-once", action="store_true", help="tutorial: compute keys once")
    parser.add_argument("--size", type=int, default=512, help="of the LSTM")
    parser.add_argument("--batch-size", type=int, default=64)
    arguments = parser.parse_args()
    quiet_libraries()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    features = np.load(arguments.features, mmap_mode="r")
    photos = len(features)
    real = arguments.captions.is_file()
    captions = read_captions(arguments.captions, photos) if real else made_up_captions(photos)
    with tempfile.TemporaryDirectory() as folder:
        material = Material(captions, features, arguments.batch_size, Path(folder))
        SIDES[arguments.side](material, arguments)


if __name__ == "__main__":
    main()
