"""`StepClock` counts what lies between the first counted step and the last."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.step_clock import StepClock


def _run(clock: StepClock, times: list[float], sizes: list[int]) -> list[bool]:
    """Go through the steps that begin at some times; return where training was to stop."""
    trainer: Any = SimpleNamespace(should_stop=False)
    stops = []
    with pytest.MonkeyPatch.context() as patch:
        for number, (now, size) in enumerate(zip(times, sizes, strict=True)):
            patch.setattr("benchmarks.step_clock.time.perf_counter", lambda now=now: now)
            batch = SimpleNamespace(size=lambda size=size: (size, "tokens"))
            clock.on_train_batch_start(trainer, SimpleNamespace(), batch, number)  # type: ignore[arg-type]
            stops.append(trainer.should_stop)
    clock.on_train_end(trainer, SimpleNamespace())  # type: ignore[arg-type]
    return stops


def test_warm_steps_and_the_unfinished_last_one_are_left_out(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"

    _run(StepClock(str(report), warm=1), [0.0, 10.0, 12.0, 15.0], [1000, 30, 20, 7])

    (line,) = report.read_text().splitlines()
    expected = {"tokens": 50, "seconds": 5.0, "steps": 2, "tokens_per_second": 10.0}
    assert json.loads(line) == expected


def test_training_stops_when_the_time_is_over(tmp_path: Path) -> None:
    clock = StepClock(str(tmp_path / "report.jsonl"), warm=1, seconds=4.0)

    assert _run(clock, [0.0, 10.0, 13.9, 14.0], [1, 1, 1, 1]) == [False, False, False, True]


def test_without_a_time_it_never_stops_training(tmp_path: Path) -> None:
    clock = StepClock(str(tmp_path / "report.jsonl"), warm=0)

    assert not any(_run(clock, [0.0, 1e6], [1, 1]))


@pytest.mark.parametrize("option", [{"warm": -1}, {"seconds": -0.1}])
def test_negative_options_are_refused(option: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="negative"):
        StepClock(str(tmp_path / "report.jsonl"), **option)
