"""Five kills with SIGKILL; forty are made by `python benchmarks/reliability.py`."""

from pathlib import Path

import pytest

from benchmarks.reliability import Bench, trial

KILLS = [
    # In the middle of an accumulation, then while the resumed run is validating.
    ["accumulation:9", "validation:1"],
    ["write:4"],
    ["epoch edge:1", "stepped:3"],
]


@pytest.mark.distributed
@pytest.mark.timeout(280)
def test_killed_runs_end_like_one_that_was_never_killed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, workers=0)
    code, errors = bench.run("reference")
    assert code == 0, errors
    for number, kills in enumerate(KILLS):
        result = trial(bench, f"trial{number}", kills, "reference")
        assert result.differences == [], kills


@pytest.mark.distributed
def test_a_damaged_last_checkpoint_is_named_and_the_one_before_it_used(tmp_path: Path) -> None:
    bench = Bench(tmp_path, workers=0)
    bench.run("whole")
    bench.run("damaged", "stepped:12")
    last = tmp_path / "runs" / "damaged" / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:-1000])
    code, errors = bench.run("damaged")
    assert code == 0, errors
    assert bench.compare("damaged", "whole") == []
