"""When rewards teach instead of what people wrote, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from seqforge.attention import BASELINES, Baseline, SelfCritical
from seqforge.data import Draw
from seqforge.errors import UserError, closest_match
from seqforge.task import Progress, Term

DRAWN: Final = 5
"""Sequences that are drawn for each item."""


@dataclass(frozen=True)
class Rewarding:
    """The arguments of tasks that can be trained on their measure; see `self_critical`.

    Attributes:
        epoch: The first epoch, from 0, in which sequences are drawn and rewarded; None: never.
        rate: Factor of the learning rate then.
        baseline: What rewards are compared with.
    """

    epoch: int | None
    rate: float
    baseline: Baseline

    def require_valid(self) -> None:
        """Refuse values that are out of range.

        Raises:
            UserError: Names the first such argument of the task.
        """
        where = "model.task.self_critical_"
        if self.epoch is not None and self.epoch < 0:
            given, todo = f"self_critical_epoch is {self.epoch}", "give an epoch, from 0; or null"
            raise UserError(given, where=f"{where}epoch", todo=todo)
        if not self.rate > 0:
            given = f"self_critical_rate is {self.rate}"
            raise UserError(given, where=f"{where}rate", todo="give a number above 0")
        if self.baseline not in BASELINES:
            raise UserError(
                f"self_critical_baseline is '{self.baseline}'",
                where=f"{where}baseline",
                accepted=BASELINES,
                closest=closest_match(self.baseline, BASELINES),
            )

    def active(self, progress: Progress) -> bool:
        """Whether rewards teach by now."""
        return self.epoch is not None and progress.epoch >= self.epoch

    def rates(self, network: nn.Module, progress: Progress) -> Mapping[str, float]:
        """Return factors on the learning rate of a task's `network`, part by part.

        See `Task.learning_rates`; there are none where rewards never teach.
        """
        if self.epoch is None:
            return {}
        factor = self.rate if self.active(progress) else 1.0
        parts = (name for name, part in network.named_children() if list(part.parameters()))
        return {f"network.{name}": factor for name in parts}

    def places(self, ids: Tensor, time: int, progress: Progress) -> Tensor:
        """Return where draws fall, uniform in [0, 1): `(N, K, T)` float32.

        Args:
            ids: `(N,)` global sample numbers; with seed and epoch all that the draws depend on.
            time: `T`, the most tokens that are drawn.
            progress: Where training stands.
        """
        drawn = [
            Draw(progress.seed, progress.epoch, max(0, number))  # below 0: it fills a batch
            .generator()
            .random((time, DRAWN), dtype=np.float32)
            .T  # step by step: a longer neighbour in the batch changes nothing
            for number in ids.tolist()
        ]
        return torch.from_numpy(np.stack(drawn)).to(ids.device)


def reward_terms(found: SelfCritical, items: int) -> dict[str, Term]:
    """Return "policy", the loss, and "reward", which is logged and has no weight.

    Args:
        found: What was made of a batch.
        items: How many items it had.
    """
    count = found.loss.new_tensor(float(items))
    reward = Term(count * found.reward, count, weight=0.0)
    return {"policy": Term(found.loss, found.tokens), "reward": reward}
