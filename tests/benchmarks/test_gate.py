"""The gate passes what is as fast as recorded, and fails what has become slower."""

import json
import time
from collections.abc import Callable

import pytest
import torch

from benchmarks import gate, gate_cases
from benchmarks.gate import REFERENCES, failures, main, measured
from benchmarks.gate_cases import CASES, Case, Turns
from seqforge.decoding import beam_search


@pytest.fixture
def _one_core(monkeypatch: pytest.MonkeyPatch) -> object:
    before = torch.get_num_threads()
    monkeypatch.setattr(gate, "quiet_libraries", lambda: None)  # warnings are errors here
    yield
    torch.set_num_threads(before)


def _constant(*ratios: float) -> Case:
    """Return a case that comes to one ratio after the other."""
    left = list(ratios)

    def case() -> Turns:
        ratio = left.pop(0)
        yield from [(ratio, 1.0), (ratio, 1.0), (1e3, 1.0)]  # the last turn was disturbed

    return case


def test_a_case_that_lost_15_percent_fails_and_is_named() -> None:
    said: list[str] = []

    messages = failures(
        {"kept": _constant(0.52), "lost": _constant(0.50, 0.40, 0.49)},
        {"kept": 0.6, "lost": 0.6},
        said.append,
    )

    assert messages == [
        "lost has become slower: the bare work takes 0.500 of its time, recorded are 0.600; "
        "it must keep 85% of that, 0.510"
    ]
    assert said == [
        "kept: 0.520; reference 0.600",
        "lost: 0.500, 0.400, 0.490; reference 0.600",
    ]


def test_a_case_that_was_only_disturbed_is_measured_again() -> None:
    assert failures({"case": _constant(0.1, 0.2, 0.6)}, {"case": 0.6}, lambda _: None) == []


def test_a_case_without_a_reference_is_an_error() -> None:
    with pytest.raises(KeyError, match="new"):
        failures({"new": _constant(1.0)}, {}, lambda _: None)


def test_every_case_has_a_reference() -> None:
    references = json.loads(REFERENCES.read_text(encoding="utf-8"))

    assert list(references) == list(CASES)
    assert all(0.0 < ratio < 2.0 for ratio in references.values())


def _busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def _slowed(function: Callable[..., object], seconds: float) -> Callable[..., object]:
    def slow(*arguments: object, **options: object) -> object:
        _busy(seconds)
        return function(*arguments, **options)

    return slow


@pytest.mark.usefixtures("_one_core")
def test_a_beam_search_that_is_slowed_down_fails_the_gate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gate, "CASES", {"beam search": gate_cases.beam})
    assert main([]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(gate_cases, "beam_search", _slowed(beam_search, 0.05))

        assert main([]) == 1

    assert "beam search has become slower" in capsys.readouterr().err


def test_a_case_times_whole_steps_of_both() -> None:
    turns = list(gate_cases.training_step())

    assert len(turns) > 100
    assert all(bare > 0 and own > 0 for bare, own in turns)
    assert 0.2 < measured(lambda: iter(turns)) < 1.5
