"""Callbacks for `pipelines.py`: when the first step is done, and what loading costs a step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from seqforge.data import Batch, DataModule
from seqforge.training import SequenceModule


class FirstStep(pl.Callback):
    """Writes down when the first step of training has ended, and ends the run.

    Args:
        report: One line of JSON: seconds since 1970.
    """

    def __init__(self, report: str) -> None:
        self.report = Path(report)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Note the time."""
        if not self.report.exists():
            self.report.write_text(json.dumps({"ended": time.time()}) + "\n", encoding="utf-8")
        trainer.should_stop = True


class LoadingClock(pl.Callback):
    """Times steps on the loader's batches against steps on ready-made ones, before training.

    Both take the same bare step of the run's own network and optimiser, in the run's precision: one
    on a ready-made batch, one on the same batch as the loader makes it anew, and so on. The run
    then ends after one step.

    Args:
        report: One line of JSON: "pairs", the batches a second of both in each round, and "share",
            the loader's rate over that of ready-made batches. There each batch counts with its
            quickest step of all rounds, so that what else the machine does is left out. "first" is
            the same for batches made for the first time, as in the first epoch of a run.
        steps: Of each kind in a round.
        rounds: How many.
    """

    def __init__(self, report: str, steps: int, rounds: int) -> None:
        self.report = Path(report)
        self.steps = steps
        self.rounds = rounds

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure."""
        from benchmarks.gate_cases import BareSteps  # takes time: a start that is timed has none

        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(pl_module, SequenceModule)
        assert isinstance(data, DataModule)
        precision = trainer.precision_plugin.forward_context
        step = BareSteps(pl_module.task, trainer.optimizers[0], precision)
        loader = data.train_dataloader()
        loader.restore(epoch=0, delivered=0)
        started = time.perf_counter()
        ready = list(islice(loader, self.steps))
        first = time.perf_counter() - started
        for batch in ready[:3]:
            step(batch)
        rounds = [self._round(step, ready, loader) for _ in range(self.rounds)]
        kept, loaded = (torch.tensor(each) for each in zip(*rounds, strict=True))  # (R, N)
        count, quickest = len(ready), kept.amin(0).sum()
        line = {
            "pairs": torch.stack([count / kept.sum(1), count / loaded.sum(1)], dim=1).tolist(),
            "share": float(quickest / loaded.amin(0).sum()),
            "first": float(quickest / (quickest + first)),
        }
        self.report.write_text(json.dumps(line) + "\n", encoding="utf-8")

    def _round(
        self, step: Callable[[Batch], None], ready: Sequence[Batch], loader: Any
    ) -> tuple[list[float], list[float]]:
        """Return the seconds of each step on ready-made and on loaded batches."""
        loader.restore(epoch=0, delivered=0)
        fresh = iter(loader)  # the same batches, made anew
        kept, loaded = [], []
        for batch in ready:
            started = time.perf_counter()
            step(batch)
            between = time.perf_counter()
            step(next(fresh))
            kept.append(between - started)
            loaded.append(time.perf_counter() - between)
        return kept, loaded

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """End the run."""
        trainer.should_stop = True
