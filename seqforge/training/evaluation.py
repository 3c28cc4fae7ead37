"""One pass over the validation or test loaders: exact losses and the task's own metrics."""

from __future__ import annotations

from collections.abc import Sequence

from seqforge.data.batch import Batch
from seqforge.task import Progress, Task
from seqforge.training.carry import Carry
from seqforge.training.exact_loss import LossSums


class Evaluation:
    """Adds up one pass. The first loader is also decoded freely by the task.

    Args:
        task: What is evaluated.

    Attributes:
        first_batch: The first batch of the first loader in the last pass; None before any.
        derived: Names of the last pass's results that only say a loss in another unit.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._sums: dict[str, LossSums] = {}
        self._carry = Carry()
        self.first_batch: Batch | None = None
        self.derived: frozenset[str] = frozenset()

    def begin(self, loaders: Sequence[str]) -> None:
        """Start a pass over loaders of these names."""
        self._sums = {name: LossSums() for name in loaders}

    def add(self, batch: Batch, index: int, loader: int, progress: Progress) -> None:
        """Add batch `index` of loader number `loader`; its state is apart from training's."""
        if index == 0:
            self._carry.clear()
            if loader == 0:
                self.first_batch = batch
        filler = batch.is_filler
        loss = self._task.loss(batch, self._carry.take(self._task, batch), progress)
        self._carry.put(loss.state)
        list(self._sums.values())[loader].add(loss.terms, share=float(not filler))
        if loader == 0 and not filler:
            self._task.evaluate(batch)

    def finish(self, world_size: int) -> dict[str, float]:
        """Return all results: the first loader's as `loss`, another's as `NAME/loss`.

        Beside the losses stand the task's measures of them, named alike.

        Raises:
            ValueError: A measure has the name of a loss.
        """
        results: dict[str, float] = {}
        derived: set[str] = set()
        for number, (name, sums) in enumerate(self._sums.items()):
            means, _ = sums.close(world_size)
            prefix = "" if number == 0 else f"{name}/"
            measures = self._task.measures(means)
            if taken := sorted(means.keys() & measures.keys()):
                raise ValueError(f"measures() must not rename or replace a loss: {taken}")
            results |= {f"{prefix}{each}": value for each, value in (means | measures).items()}
            derived |= {f"{prefix}{each}" for each in measures}
        self.derived = frozenset(derived)
        return results | self._task.finish_evaluation()
