"""Small forecasters, trained for a few steps without a trainer."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import torch

from seqforge.data import Batch
from seqforge.encoders import GRU, EncoderFactory
from seqforge.task import Progress
from seqforge_tasks.forecasting import Forecasting, SeriesData

START = Progress(0, 0, 0.0)


def trained(
    data: SeriesData, steps: int, rate: float = 0.01, hidden: int = 4, **options: Any
) -> Forecasting:
    """Return a task that is set up by data and trained on them, in evaluation mode.

    Args:
        data: Its training windows are read as often as needed.
        steps: Optimiser steps.
        rate: Learning rate of the first one; that of the last is 0.
        hidden: Units of the encoder.
        options: Of the task.
    """
    torch.manual_seed(0)
    data.setup("fit")
    task = Forecasting(**{"segment": 4, "embedding_size": 4, "paths": 20, **options})
    task.build(EncoderFactory(partial(GRU, hidden_size=hidden)), data.spec())
    task.prepare(data)
    optimizer = torch.optim.Adam(task.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    for _, batch in zip(range(steps), _forever(data), strict=False):
        term = task.loss(batch, None, START).terms["loss"]
        optimizer.zero_grad()
        (term.total / term.count).backward()
        optimizer.step()
        schedule.step()
    return task.eval()


@torch.no_grad()
def measured(task: Forecasting, batches: Iterable[Batch]) -> dict[str, float]:
    """Return the loss, and what an evaluation of batches finds."""
    total = count = 0.0
    for batch in batches:
        term = task.loss(batch, task.start(len(batch.ids)), START).terms["loss"]
        total, count = total + term.total.item(), count + term.count.item()
        task.evaluate(batch)
    return {"loss": total / count, **task.finish_evaluation()}


def _forever(data: SeriesData) -> Iterator[Batch]:
    loader = data.train_dataloader()
    while True:
        yield from loader
