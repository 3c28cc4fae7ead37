"""Samples: when they are shown, where they go, and that training does not notice."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger

from seqforge.data import Batch
from seqforge.task import Figure, Preview, Table, Text
from seqforge.training import Samples, SequenceModule
from seqforge.training.previews import as_text


class _Module(SequenceModule):
    """Shows the same previews whenever it is asked."""

    def __init__(self, previews: list[Preview]) -> None:
        pl.LightningModule.__init__(self)
        self.previews = previews
        self.asked = 0

    @property
    def preview_batch(self) -> Batch | None:
        return None

    def preview(self, batch: Batch) -> list[Preview]:
        self.asked += 1
        return self.previews


def _trainer(folder: Path, **values: Any) -> pl.Trainer:
    defaults = {
        "is_global_zero": True,
        "current_epoch": 0,
        "global_step": 1,
        "default_root_dir": str(folder),
        "loggers": [],
    }
    return cast("pl.Trainer", SimpleNamespace(**defaults | values))


def _run(samples: Samples, folder: Path, epochs: int, steps: int) -> tuple[list[int], _Module]:
    """Go through epochs of optimiser steps; return the steps at which something was shown."""
    shown: list[int] = []
    samples.show = lambda previews, trainer: shown.append(trainer.global_step)
    module, batch = _Module([Text("x")]), Batch(ids=torch.tensor([0]))
    for epoch in range(epochs):
        for step in range(steps):
            trainer = _trainer(folder, current_epoch=epoch, global_step=epoch * steps + step + 1)
            samples.on_train_batch_end(trainer, module, None, batch, step)
        samples.on_train_epoch_end(trainer, module)
    return shown, module


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (Samples(), [4, 8, 12]),
        (Samples(every_epochs=2), [8]),
        (Samples(every_epochs=0), []),
        (Samples(every_epochs=0, every_steps=3), [3, 6, 9, 12]),
        (Samples(every_epochs=1, every_steps=2), [2, 4, 6, 8, 10, 12]),
    ],
)
def test_when_samples_are_shown(samples: Samples, expected: list[int], tmp_path: Path) -> None:
    shown, module = _run(samples, tmp_path, epochs=3, steps=4)

    assert shown == expected
    assert module.asked == len(expected)


def test_other_processes_show_nothing(tmp_path: Path) -> None:
    samples, module = Samples(), _Module([Text("x")])
    trainer = _trainer(tmp_path, is_global_zero=False)
    samples.on_train_batch_end(trainer, module, None, Batch(ids=torch.tensor([0])), 0)
    samples.on_train_epoch_end(trainer, module)

    assert module.asked == 0
    assert list(tmp_path.iterdir()) == []


def test_every_preview_has_a_file_of_its_own(tmp_path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, _ = plt.subplots()
    previews: list[Preview] = [
        Text("one", title="a/b: ../sample"),
        Text("two", title="sample"),
        Text("three", title="sample"),
        Table(("x", "y"), [(1, "zwei")]),
        Figure(figure, title="curve"),
    ]
    samples, module = Samples(), _Module(previews)
    logger = TensorBoardLogger(tmp_path, name="logs", version="")
    trainer = _trainer(tmp_path, loggers=[logger])
    samples.on_train_batch_end(trainer, module, None, Batch(ids=torch.tensor([0])), 0)
    samples.on_train_epoch_end(trainer, module)
    logger.finalize("success")

    files = sorted(file.name for file in (tmp_path / "samples").iterdir())
    names = ["a_b_.._sample", "curve", "sample-1", "sample-2", "sample-3"]
    suffixes = [".txt", ".png", ".txt", ".txt", ".txt"]
    assert files == sorted(
        f"epoch000-step0000001-{name}{suffix}" for name, suffix in zip(names, suffixes, strict=True)
    )
    assert (tmp_path / "samples" / "epoch000-step0000001-sample-2.txt").read_text() == "three\n"
    assert list((tmp_path / "logs").glob("events.*"))
    assert plt.get_fignums() == []


def test_tables_as_text() -> None:
    assert as_text(Table(("a", "b"), [(1, "x"), (2, "y")])) == "a\tb\n1\tx\n2\ty"


@pytest.mark.parametrize("options", [{"every_epochs": -1}, {"every_steps": 0}])
def test_numbers_out_of_range(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"samples\.every_epochs must be at least 0"):
        Samples(**options)
