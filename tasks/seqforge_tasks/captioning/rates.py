"""How fast the parts of a captioning network learn in each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqforge.task import Progress

if TYPE_CHECKING:
    from seqforge_tasks.captioning.task import Captioning


def learning_rates(task: Captioning, progress: Progress) -> Mapping[str, float]:
    """Return factors on the learning rate by submodule; see `Task.learning_rates`."""
    rates = dict(task.rewarding.rates(task.network, progress))
    if not task.network.image.pretrained:
        return rates
    slower = rates.pop("network.image", 1.0)
    if task.finetune_epoch is not None:
        rests = progress.epoch < task.finetune_epoch
        rates["network.image"] = 0.0 if rests else task.finetune_rate * slower
    return rates
