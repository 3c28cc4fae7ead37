import math
import warnings
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.encoders import GRU
from seqforge.errors import UserError
from seqforge.training import Constant, Cosine, OneCycle, Plateau, Schedule, SequenceModule
from tests.training.toy import Toy, ToyData, toy_trainer


def _rates(schedule: Schedule, steps: int, peak: float = 2.0) -> list[float]:
    """Return the rate with which each step is taken."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak, momentum=0.9)
    scheduler = schedule.scheduler(optimizer, steps, ("val/loss", "min"))
    assert scheduler["interval"] == "step"
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler["scheduler"].step()
    return rates


def test_cosine_warms_up_and_falls_to_its_floor() -> None:
    rates = _rates(Cosine(warmup=0.1, floor=0.1), 100)

    assert rates[:3] == pytest.approx([2 / 11, 4 / 11, 6 / 11])
    assert max(rates) == rates[10] == 2.0
    assert rates[55] == pytest.approx(2 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 2))))
    assert rates[11:] == sorted(rates[11:], reverse=True)
    assert Cosine(floor=0.1).factor(100, 100) == pytest.approx(0.1)
    assert Cosine(floor=0.1).factor(500, 100) == pytest.approx(0.1)


def test_constant_keeps_its_peak_after_warming_up() -> None:
    assert _rates(Constant(), 3) == [2.0, 2.0, 2.0]
    assert _rates(Constant(warmup=3), 5) == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0])


def test_one_cycle_goes_up_and_down_and_may_be_stepped_to_its_end() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rates = _rates(OneCycle(warmup=0.25, start_divisor=10), 20)
    top = rates.index(max(rates))

    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(2.0, rel=0.05)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_plateau_watches_the_tasks_metric(mode: str) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = Plateau(factor=0.1, patience=0).scheduler(optimizer, 9, ("val/bleu", mode))
    better, worse = (1.0, 2.0) if mode == "min" else (2.0, 1.0)
    scheduler["scheduler"].step(better)
    assert optimizer.param_groups[0]["lr"] == 1.0
    scheduler["scheduler"].step(worse)

    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)
    assert scheduler["monitor"] == "val/bleu"
    with pytest.raises(ValueError, match="'min' or 'max', not 'up'"):
        Plateau().scheduler(optimizer, 9, ("val/bleu", "up"))


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="warmup must lie between 0 and 1, not 2"):
        Cosine(warmup=2)
    with pytest.raises(ValueError, match="warmup must be at least 0 steps"):
        Constant(warmup=-1)
    with pytest.raises(ValueError, match="factor must lie between"):
        Plateau(factor=-0.5)


def test_a_schedule_over_all_steps_wants_to_know_how_many(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, max_epochs=-1, max_time={"seconds": 30})
    with pytest.raises(UserError, match="Cosine must know how long the run is"):
        trainer.fit(SequenceModule(Toy(), partial(GRU, hidden_size=4)), datamodule=ToyData())


class Endless:
    """A loader without a length."""

    def __init__(self, loader: Iterable[Any]) -> None:
        self.loader = loader

    def __iter__(self) -> Iterator[Any]:
        return iter(self.loader)


@pytest.mark.filterwarnings("ignore:You defined a `validation_step` but have no")
def test_a_loader_without_a_length_does_not_end_a_schedule(tmp_path: Path) -> None:
    data = ToyData()
    data.setup("fit")
    loader = Endless(data.train_dataloader())
    for schedule, message in ((Cosine, "Cosine must know how long the run is"), (Constant, "")):
        trainer = toy_trainer(tmp_path, max_epochs=1)
        module = SequenceModule(
            Toy(), partial(GRU, hidden_size=4), spec=data.spec(), schedule=schedule
        )
        if message:
            with pytest.raises(UserError, match=message):
                trainer.fit(module, loader)
        else:
            trainer.fit(module, loader)
            assert trainer.global_step > 0


def test_plateau_is_shown_one_value_a_validation(tmp_path: Path) -> None:
    module = SequenceModule(Toy(), partial(GRU, hidden_size=4), schedule=Plateau)
    trainer = toy_trainer(tmp_path, max_epochs=3)
    trainer.fit(module, datamodule=ToyData())
    assert trainer.lr_scheduler_configs[0].scheduler.last_epoch == 3
