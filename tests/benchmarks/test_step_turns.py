"""Systems train in turn, and only whole steps of their own turns count."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.step_turns import SMOOTHED, System, Training, in_turn, to_loss

TRAINS = """
import sys, time
from pathlib import Path
from benchmarks.peers.step_lines import StepLines
lines = StepLines(Path("steps.jsonl"))
lines.begin(7, library="1.0")
for number in range(100000):
    time.sleep({seconds})
    lines.step(5, 10.0 - number)
"""


def _system(name: str, seconds: float) -> System:
    def words(folder: Path) -> Sequence[object]:
        return [sys.executable, "-c", TRAINS.format(seconds=seconds)]

    return System(name, words)


def test_each_system_is_timed_in_every_round(tmp_path: Path) -> None:
    systems = [_system("quick", 0.01), _system("slow", 0.05)]

    quick, slow = in_turn(systems, tmp_path, threads=1, warm=1, rounds=3, seconds=0.4)

    assert (quick["name"], slow["name"]) == ("quick", "slow")
    assert (quick["parameters"], quick["versions"]) == (7, {"library": "1.0"})
    assert len(quick["windows"]) == len(slow["windows"]) == 3
    for window, least in [(each, 0.01) for each in quick["windows"]] + [
        (each, 0.05) for each in slow["windows"]
    ]:
        # Pauses lie between the windows; in none of them.
        assert least <= window["step"] < least + 0.2
        assert window["items_per_second"] == pytest.approx(5 / window["step"], rel=0.7)
        assert window["steps"] >= 2
    assert quick["peak"] > 1
    assert 0 < quick["first_step"] < 20


def test_who_is_not_on_turn_stands_still(tmp_path: Path) -> None:
    with Training(_system("quick", 0.01), tmp_path, threads=1) as training:
        assert training.wait(lambda: len(training.steps) > 2, 20)
        training.pause()
        training.wait(lambda: False, 0.2)
        before = len(training.steps)
        training.wait(lambda: False, 0.3)
        standing = len(training.steps)
        window = training.window(0.2, at_least=2)
        taken = len(training.steps)

    assert before == standing
    # The first one was stopped in its middle; and n ends lie n - 1 steps apart.
    assert window.steps == taken - before - 1
    assert window.step < 0.2


def test_a_slow_system_has_its_steps_all_the_same(tmp_path: Path) -> None:
    with Training(_system("slow", 0.1), tmp_path, threads=1) as training:
        assert training.wait(lambda: len(training.steps) > 0, 20)
        window = training.window(0.01, at_least=3)

    assert window.steps >= 3


def test_training_ends_at_the_loss(tmp_path: Path) -> None:
    result = to_loss(_system("quick", 0.01), tmp_path, threads=1, target=2.0, limit=20)

    assert result["reached"]
    # Ten losses 10 - n have the mean 2 when the last one is -2.5.
    assert result["loss"] <= 2.0
    assert SMOOTHED < 14 <= result["steps"]
    assert result["seconds"] > result["first_step"] > 0


def test_a_loss_that_is_not_reached_is_no_result(tmp_path: Path) -> None:
    result = to_loss(_system("quick", 0.01), tmp_path, threads=1, target=-1e9, limit=2)

    assert not result["reached"]
    assert result["loss"] > -1e9


def test_a_system_that_fails_is_named_with_its_output(tmp_path: Path) -> None:
    system = System("broken", lambda folder: [sys.executable, "-c", "raise SystemExit('why')"])

    with pytest.raises(SystemExit, match=r"broken ended by itself, see .*output\.txt"):
        in_turn([system], tmp_path, threads=1, warm=0, rounds=1, seconds=0.1)

    assert "why" in (tmp_path / "broken" / "output.txt").read_text()


def test_nothing_that_was_started_goes_on(tmp_path: Path) -> None:
    systems = [_system("good", 0.01), System("broken", lambda folder: ["false"])]

    with pytest.raises(SystemExit, match="broken"):
        in_turn(systems, tmp_path, threads=1, warm=0, rounds=1, seconds=0.1)

    log = tmp_path / "good" / "steps.jsonl"
    before = log.read_text()
    time.sleep(0.2)
    assert log.read_text() == before
