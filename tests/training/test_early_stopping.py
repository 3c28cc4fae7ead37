"""Early stopping watches what the task names, in the task's direction."""

from typing import ClassVar

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn

from seqforge.errors import UserError
from seqforge.task import Task
from seqforge.training import EarlyStopping, SequenceModule


class _Low(Task):
    pass


class _High(Task):
    monitor: ClassVar[tuple[str, str]] = ("val/bleu", "max")


class _Trainer(pl.Trainer):
    """Has metrics that a test sets."""

    def __init__(self, batches: int = 1) -> None:
        super().__init__(accelerator="cpu", logger=False, enable_checkpointing=False)
        self.state.fn = TrainerFn.FITTING
        self.batches = batches

    @property
    def num_val_batches(self) -> list[int | float]:
        return [self.batches]


def _steps(task: Task, values: list[float], patience: int | None, min_delta: float = 0.0) -> int:
    """Return after how many validations training is to stop; 0: it is not."""
    stopping, trainer = EarlyStopping(patience, min_delta), _Trainer()
    module = SequenceModule(task)
    stopping.setup(trainer, module, "fit")
    stopping.setup(trainer, module, "fit")  # a second fit changes no sign again
    for number, value in enumerate(values, start=1):
        trainer.callback_metrics[task.monitor[0]] = torch.tensor(value)
        stopping.on_train_epoch_end(trainer, module)
        if trainer.should_stop:
            return number
    return 0


@pytest.mark.parametrize(
    ("task", "values", "patience", "min_delta", "stop"),
    [
        (_Low(), [3.0, 2.0, 1.0, 0.5], 1, 0.0, 0),
        (_Low(), [3.0, 2.0, 2.5, 2.4], 2, 0.0, 4),
        (_Low(), [3.0, 2.9, 2.8], 1, 0.2, 2),
        (_High(), [1.0, 2.0, 3.0], 1, 0.0, 0),
        (_High(), [3.0, 2.0], 1, 0.0, 2),
        (_High(), [1.0, 1.1, 1.2], 1, 0.2, 2),
        (_High(), [3.0, 2.0, 1.0, 0.0], None, 0.0, 0),
    ],
)
def test_when_training_stops(
    task: Task, values: list[float], patience: int | None, min_delta: float, stop: int
) -> None:
    assert _steps(task, values, patience, min_delta) == stop


def test_a_metric_that_will_never_come() -> None:
    module, trainer = SequenceModule(_Low()), _Trainer(batches=0)

    EarlyStopping().on_train_start(trainer, module)
    with pytest.raises(UserError, match="nothing is validated"):
        EarlyStopping(patience=1).on_train_start(trainer, module)
