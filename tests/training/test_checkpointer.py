from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

import seqforge
from seqforge import SequenceModule
from seqforge.encoders import GRU
from seqforge.training import Checkpointer, NonFiniteLoss
from tests.training.toy import Toy, ToyData, toy_trainer


class Scored(Toy):
    """Says each epoch's score itself."""

    monitor = ("val/score", "max")
    scores = (1.0, 4.0, 3.0, 5.0, 2.0)

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0

    def finish_evaluation(self) -> dict[str, float]:
        self.epoch += 1
        return {"score": self.scores[self.epoch - 1]}


class Note(pl.Callback):
    """Notes at which steps a file was written."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.steps: list[tuple[int, int]] = []  # optimiser steps, batches of the epoch

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.file.exists():
            saved = torch.load(self.file, weights_only=True)
            step = saved["global_step"], saved["ToyData"]["delivered"]
            if step not in self.steps:
                self.steps.append(step)


def _fit(folder: Path, task: Toy, checkpointer: Checkpointer, *callbacks: Any, **more: Any) -> None:
    pl.seed_everything(0, verbose=False)
    module = SequenceModule(task, partial(GRU, hidden_size=4))
    trainer = toy_trainer(
        folder, enable_checkpointing=True, callbacks=[*callbacks, checkpointer], **more
    )
    trainer.fit(module, datamodule=ToyData(4, 28))


@pytest.mark.parametrize(("keep", "scores"), [(1, [5.0]), (2, [5.0, 4.0]), (9, [5, 4, 3, 2, 1])])
def test_the_best_are_kept_in_order(keep: int, scores: list[float], tmp_path: Path) -> None:
    checkpointer = Checkpointer(keep_best=keep)
    _fit(tmp_path, Scored(), checkpointer, max_epochs=5)
    folder = tmp_path / "checkpoints"
    names = {file.name for file in folder.iterdir()}

    assert [score for score, _ in checkpointer.best] == scores
    kept = {name for _, name in checkpointer.best}
    assert names == {"best.ckpt", "last.ckpt", "previous.ckpt", *kept}
    best = torch.load(folder / "best.ckpt", weights_only=True)
    assert best["global_step"] == 4 * 7
    assert "optimizer_states" not in best
    assert isinstance(seqforge.load(tmp_path), Scored)
    assert checkpointer.best_score == 5.0


def test_last_is_written_at_boundaries_inside_an_epoch_only(tmp_path: Path) -> None:
    note = Note(tmp_path / "checkpoints" / "last.ckpt")
    # Seven batches, two in a step: the fourth step of an epoch is its last batch, alone.
    _fit(tmp_path, Toy(), Checkpointer(every_steps=1), note, accumulate_grad_batches=2)

    assert note.steps == [(1, 2), (2, 4), (3, 6), (5, 2), (6, 4), (7, 6)]


def test_last_waits_for_a_validation_that_is_next(tmp_path: Path) -> None:
    last = tmp_path / "checkpoints" / "last.ckpt"
    validated: dict[int, int] = {}

    class Count(pl.Callback):
        validations = 0

        def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
            self.validations += 1

        def state_dict(self) -> dict[str, Any]:
            return {"validations": self.validations}

        def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            if last.exists():
                saved = torch.load(last, weights_only=True)
                validated[saved["global_step"]] = saved["callbacks"][self.state_key]["validations"]

    # Seven batches an epoch, of which the third and the sixth are followed by a validation.
    _fit(tmp_path, Toy(), Checkpointer(every_steps=1), Count(), val_check_interval=3)

    assert validated == {1: 0, 2: 0, 3: 1, 4: 1, 5: 1, 6: 2, 8: 2, 9: 2, 10: 3, 11: 3, 12: 3, 13: 4}


def test_the_end_of_a_fit_is_saved_and_can_be_extended(tmp_path: Path) -> None:
    _fit(tmp_path, Toy(), Checkpointer())
    last = tmp_path / "checkpoints" / "last.ckpt"
    saved = torch.load(last, weights_only=True)
    pl.seed_everything(0, verbose=False)
    module = SequenceModule(Toy(), partial(GRU, hidden_size=4))
    more = toy_trainer(
        tmp_path, max_epochs=3, enable_checkpointing=True, callbacks=[Checkpointer()]
    )
    more.fit(module, datamodule=ToyData(4, 28), ckpt_path=last, weights_only=True)

    assert saved["global_step"] == 14
    assert more.global_step == 21


@pytest.mark.parametrize(
    ("every_steps", "poison", "good"),
    [(None, 4, ("last.ckpt", 1)), (1, 9, ("last.ckpt", 8)), (1, 1, None)],
)
def test_a_loss_that_is_not_finite_finds_the_last_good_weights(
    every_steps: int | None, poison: int, good: tuple[str, int] | None, tmp_path: Path
) -> None:
    checkpointer = Checkpointer(every_steps=every_steps)
    with pytest.raises(NonFiniteLoss):
        _fit(tmp_path, Toy(poison=poison), checkpointer)

    file = checkpointer.last_good
    found = file and (file.name, torch.load(file, weights_only=True)["global_step"])
    assert found == good


def test_a_score_that_is_not_a_number_is_never_the_best(tmp_path: Path) -> None:
    class Undefined(Scored):
        scores = (float("nan"), 1.0, float("nan"), 1.0, 1.0)

    checkpointer = Checkpointer(keep_best=3)
    _fit(tmp_path, Undefined(), checkpointer, max_epochs=3)

    assert [score for score, _ in checkpointer.best] == [1.0]


@pytest.mark.parametrize(
    "options", [{"every_minutes": 0}, {"every_steps": 0}, {"keep_best": 0}, {"every_minutes": -1}]
)
def test_numbers_must_be_positive(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Checkpointer(**options)


def test_a_run_of_so_many_steps_ends_in_the_epoch_in_which_it_ends(tmp_path: Path) -> None:
    _fit(tmp_path, Toy(), Checkpointer(), max_epochs=-1, max_steps=10)
    saved = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    progress = saved["loops"]["fit_loop"]["epoch_progress"]["current"]
    # Seven batches an epoch: the tenth step is the third of the second epoch.
    assert saved["global_step"] == 10
    assert progress["completed"] == 1
