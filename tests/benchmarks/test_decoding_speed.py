"""The plain beam search is one, and the benchmark of decoding runs, tiny."""

import math
from pathlib import Path

import pytest
import torch

from benchmarks import decoding_speed
from benchmarks.decoding_networks import Begun, Job, Workshop
from benchmarks.decoding_speed import Alone, ClockedStep, in_turn, parsed, ratio
from benchmarks.peers.plain_beam import plain_beam
from tests.decoding import tables as toy
from tests.decoding.tables import END, FIRST, Options


def _job(items: int) -> Job:
    tables = toy.random_tables(items, seed=1)

    def begin(numbers: range) -> Begun:
        chosen = tables[list(numbers)]
        return Begun(toy.first(chosen), toy.memory(chosen), torch.full((len(chosen),), 3))

    return Job("toy", 4, items, toy.step, begin, FIRST, END, ())  # type: ignore[arg-type]


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_plain_beam_finds_no_more_than_there_is(alpha: float) -> None:
    tables = toy.random_tables(12, seed=0)
    same = 0
    for table in tables:
        found = plain_beam(
            toy.step,
            toy.memory(table[None]),
            k=5,
            begin=FIRST,
            end=END,
            banned=(2,),
            max_length=3,
            penalty=alpha,
        )
        (best,) = toy.exhaustive(table, Options(3, alpha=alpha, banned=(2,)))

        assert found.finished
        assert 2 not in found.tokens
        total = toy.log_prob(table, [*found.tokens, END])
        assert found.log_prob == pytest.approx(total, abs=1e-5)
        assert found.score <= best[2] + 1e-5
        same += found.tokens == best[0]
    assert same >= 6


def test_a_plain_beam_that_cannot_end_is_cut() -> None:
    tables = toy.random_tables(1, seed=0)
    tables[..., END] = -math.inf
    found = plain_beam(
        toy.step, toy.memory(tables), k=2, begin=FIRST, end=END, banned=(), max_length=3, penalty=0
    )

    assert not found.finished
    assert len(found.tokens) == 3


def test_each_way_searches_for_every_source_in_turn() -> None:
    job, clock = _job(5), ClockedStep(_job(5))
    ours = decoding_speed.beam(job, 1.0, 2, clock)
    text = decoding_speed.compared(job, 1.0, parsed(["--pairs", "2", "--together", "3"]))

    assert len(ours) == len(decoding_speed.plain(job, 1.0)) == 5
    assert clock.rows > 5
    assert clock.seconds > 0
    assert [line.split(" | ")[:3] for line in text.splitlines()] == [
        ["| toy", "1", "1"],
        ["| toy", "1", "3"],
    ]


def test_the_first_round_is_not_counted_and_ratios_are_those_of_pairs() -> None:
    calls: list[str] = []
    rates = in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3, 2)

    assert calls == ["a", "b"] * 3
    assert [len(each) for each in rates.values()] == [2, 2]
    assert ratio([2.0, 9.0, 8.0], [1.0, 3.0, 8.0]) == "**2.00** (1.00 to 3.00)"


def test_networks_are_trained_once_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQFORGE_DATA", str(tmp_path))  # nothing there: texts are made up
    monkeypatch.setattr("benchmarks.decoding_networks.GRID", (1, 2))
    monkeypatch.setattr("benchmarks.decoding_networks.FEATURES", 8)
    monkeypatch.setattr("benchmarks.decoding_networks.PHOTOS", 60)
    workshop = Workshop(tmp_path / "kept", size=8, seconds=1, count=3)
    workshop.folder.mkdir()
    quick = parsed(["--together", "2", "--penalties", "1"])
    trained = [workshop.translation(), workshop.captioning()]
    expected = [decoding_speed.beam(job, 1.0, 2) for job in trained]
    files = {file: file.stat().st_mtime_ns for file in workshop.folder.glob("*.pt")}
    loaded = [workshop.translation(), workshop.captioning()]

    assert len(files) == 2
    assert files == {file: file.stat().st_mtime_ns for file in files}
    assert [decoding_speed.beam(job, 1.0, 2) for job in loaded] == expected
    found = decoding_speed.alone(loaded, quick)
    assert [*found.rates] == [
        f"{name} | 1 | {size}" for name in ("translation", "captioning") for size in (1, 2)
    ]
    assert min(found.rates.values()) > 0
    assert [found.scores[f"{job.name} | 1 | 2"] for job in loaded] == expected


def test_packages_are_timed_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def in_a_process(package: Path, words: object) -> Alone:
        asked.append(package)
        case = "toy | 1 | 64"
        return Alone({case: 10.0 * len(asked)}, {case: [-3.0, -2.0 - 0.25 * len(asked)]})

    monkeypatch.setattr(decoding_speed, "in_a_process", in_a_process)
    text = decoding_speed.beside_before(tmp_path, ["--tasks", "captioning"], 2)

    assert asked == [tmp_path, decoding_speed.ROOT] * 2
    assert "| toy | 1 | 64 | 20.0 | 30.0 | **1.67** (1.33 to 2.00) |" in text
    assert "at most 2.5e-01 apart" in text


def test_quick_is_smaller_throughout() -> None:
    quick, whole = vars(parsed(["--quick"])), vars(parsed([]))

    changed = {name for name in whole if quick[name] != whole[name]}
    assert changed == {*decoding_speed.QUICK, "quick"}
    assert all(quick[name] < whole[name] for name in decoding_speed.QUICK)
