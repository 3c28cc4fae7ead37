"""Growth is told from costs as it is, and every study of the benchmark runs, tiny."""

from pathlib import Path

import pytest
import torch

from benchmarks import cost_growth
from benchmarks.cost_growth import MARKS, measure, parsed
from benchmarks.growth_fit import growth
from benchmarks.growth_points import WAYS, characters
from benchmarks.growth_studies import STUDIES, Study, hidden_operations

SIZES = [2.0**exponent for exponent in range(6, 15)]


def test_a_line_with_fixed_costs_is_found() -> None:
    found = growth(SIZES, [0.5 + 0.002 * size for size in SIZES])

    assert found.fixed == pytest.approx(0.5)
    assert found.each == pytest.approx(0.002)
    assert found.off_line < 1e-9
    # Of the larger half, 2^10 costs most beside its size and 2^14 least.
    rates = [0.5 / 2**10 + 0.002, 0.5 / 2**14 + 0.002]
    assert found.off_proportion == pytest.approx((rates[0] - rates[1]) / sum(rates))


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.2, 2.0])
def test_the_exponent_is_that_of_a_power(exponent: float) -> None:
    found = growth(SIZES, [3e-6 * size**exponent for size in SIZES])

    assert found.exponent == pytest.approx(exponent)
    assert found.fixed >= 0
    assert (found.off_proportion < 1e-9) == (exponent == 1.0)
    assert (found.off_line < 0.01) == (exponent == 1.0)


def test_the_worst_point_counts() -> None:
    costs = [0.01 * size for size in SIZES]
    costs[-1] *= 1.5

    found = growth(SIZES, costs)

    assert found.off_proportion == pytest.approx(0.2)  # 1 and 1.5 are as far from 1.25
    assert found.off_line > 0.2


@pytest.mark.parametrize(("sizes", "costs"), [([8.0], [1.0]), ([8.0, 16.0], [1.0, 0.0])])
def test_no_growth_is_seen_in_too_little(sizes: list[float], costs: list[float]) -> None:
    with pytest.raises(ValueError, match="no growth"):
        growth(sizes, costs)


def test_operations_are_those_of_the_weights() -> None:
    # Each weight of the recurrent layer and of the head is multiplied and added once a character.
    task = characters(64)
    matrices = [each for each in task.parameters() if each.dim() == 2]
    weights = sum(each.numel() for each in matrices) - task.embedding.weight.numel()

    assert hidden_operations(64) == 3 * 2 * 32 * 32 * weights
    assert hidden_operations(4096) / hidden_operations(2048) == pytest.approx(4, rel=0.05)


def test_every_way_belongs_to_a_study_but_one() -> None:
    used = [way for study in STUDIES.values() for way in study.ways.values()]

    assert len(used) == len(set(used))
    assert set(WAYS) - set(used) == {"plain 512"}


def test_ways_work_on_what_they_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[object] = []
    step = torch.optim.AdamW.step

    def counting(optimizer: torch.optim.AdamW) -> None:
        steps.append(optimizer)
        step(optimizer)

    monkeypatch.setattr(torch.optim.AdamW, "step", counting)
    WAYS["truncated"](200)()  # 64, 64, 64 and 8 characters
    WAYS["whole"](200)()
    WAYS["epoch"](6)()  # 12 windows, one batch

    assert len(steps) == 4 + 1 + 1


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_series_are_read_from_both_layouts_and_their_file_is_removed(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    work = WAYS[f"reading {layout}"](3)
    work()
    work()
    assert list(tmp_path.iterdir())
    del work

    assert not list(tmp_path.iterdir())


def test_memory_is_that_of_the_size_alone() -> None:
    study = Study("made up", "words", {"head": "exact 256"}, (256, 16_384), ())

    small, large = measure(study, parsed(["--seconds", "0", "--rounds", "1"]))["head"].values()

    # Parameters, gradients and two moments, and the scores of 512 predictions.
    least = (4 * 257 + 512) * 16_384 * 4 / 2**20
    assert small.mebibytes < 64
    assert least * 0.95 < large.mebibytes < 4 * least
    assert large.seconds > small.seconds


def test_the_command_writes_tables_and_pictures(tmp_path: Path) -> None:
    page = tmp_path / "growth.md"
    page.write_text(f"# Before\n\n{MARKS[0]}\nold\n{MARKS[1]}\n\nBehind\n", encoding="utf-8")
    options = ["--quick", "--threads", "1", "--output", str(tmp_path)]
    for study in ("writing", "hidden"):
        cost_growth.main([*options, "--studies", study])

    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Before\n")
    assert text.endswith("\n\nBehind\n")
    assert "old" not in text
    assert text.index("### Hidden size") < text.index("### Characters written")
    assert {each.name for each in tmp_path.iterdir()} == {
        "growth.json",
        "growth.md",
        "hidden.png",
        "writing.png",
    }
    assert (tmp_path / "hidden.png").read_bytes().startswith(b"\x89PNG")


def test_quick_is_smaller_throughout() -> None:
    assert all(sum(study.quick) < sum(study.sizes) for study in STUDIES.values())
    quick, whole = parsed(["--quick"]), parsed([])
    assert quick.seconds < whole.seconds
    assert quick.rounds < whole.rounds
