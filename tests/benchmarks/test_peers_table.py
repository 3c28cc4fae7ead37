"""The table says what the pieces say; the command runs, tiny, without any peer."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import peers_table
from benchmarks.peers_table import SUBJECTS, main, parsed, ratio, report, table


def _steps(name: str, rates: list[float], step: float = 0.5) -> dict[str, Any]:
    windows = [{"step": step, "items_per_second": rate, "steps": 3} for rate in rates]
    return {
        "name": name,
        "first_step": 2.0,
        "parameters": 7,
        "versions": {"library": name[-1]},
        "windows": windows,
        "peak": 1000.4,
    }


OWN = _steps("seqforge, as it comes", [200.0, 300.0, 800.0], step=0.25)
FULL = _steps("seqforge, fp32", [50.0, 50.0, 50.0])
PEER = _steps("the peer", [100.0, 50.0, 200.0])


def test_ratios_are_taken_round_by_round() -> None:
    # The medians of the columns, 100 and 300, would give 3.
    assert ratio(PEER, OWN) == "**4.00** (2.00 to 6.00)"


def test_the_table_has_what_was_measured() -> None:
    losses = [
        {"name": "the peer", "target": 2.4, "reached": False, "seconds": 99.6, "steps": 40}
        | {"loss": 2.61},
        {"name": "seqforge, fp32", "target": 2.4, "reached": True, "seconds": 50.2, "steps": 30},
    ]

    lines = table(SUBJECTS["character"], [OWN, FULL, PEER], losses).splitlines()

    assert "to a loss of 2.4 nats" in lines[2]
    assert lines[4] == ("| seqforge, as it comes | 250 | 300 |  |  | 2.0 | not measured | 1,000 |")
    assert "| 50 (30) |" in lines[5]
    assert lines[6] == (
        "| the peer | 500 | 100 | **4.00** (2.00 to 6.00) | **0.50** (0.25 to 1.00) | 2.0 "
        "| not in 100 (40; 2.61) | 1,000 |"
    )


def test_all_pieces_are_gathered(tmp_path: Path) -> None:
    for name in ("character", "captioning"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "steps.json").write_text(json.dumps([OWN, PEER]))

    text = report(tmp_path)

    assert text.index("**Character model**") < text.index("**Captioning**")
    assert "Translation" not in text
    assert f"library r; {peers_table.processor()}." in text


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    folder = tmp_path / "captioning"
    folder.mkdir()
    (folder / "steps.json").write_text(json.dumps([OWN, PEER]))
    for system in SUBJECTS["captioning"].systems(parsed(["--work", str(tmp_path)])):
        (folder / f"loss-{system.slug}.json").write_text(
            json.dumps({"name": "the peer", "target": 4.5, "reached": True, "seconds": 1.0})[:-1]
            + ', "steps": 12}'
        )

    main(["steps", "loss", "--work", str(tmp_path), "--subjects", "captioning"])

    assert not (folder / "steps").exists()
    assert not (folder / "loss").exists()


def test_subjects_with_losses_of_their_own_are_not_compared_by_them(tmp_path: Path) -> None:
    main(["loss", "--work", str(tmp_path), "--subjects", "forecasting"])

    assert [*tmp_path.iterdir()] == []


def test_an_unknown_action_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(["--work", "w", "step"])

    assert "step: the actions are steps, loss" in capsys.readouterr().err


def test_a_peer_without_a_folder_is_left_out(tmp_path: Path) -> None:
    arguments = parsed(
        ["--work", str(tmp_path), "--peers", str(tmp_path), "--sizes", "4", "4", "9"]
    )

    assert not any("Keras" in each.name for each in SUBJECTS["character"].systems(arguments))


def test_all_of_it_runs_tiny(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SEQFORGE_DATA", raising=False)

    quick = ["--work", str(tmp_path / "work"), "--quick", "--threads", "1"]
    main(["steps", *quick])
    main(["loss", *quick, "--only", "bare PyTorch, fp32"])

    text = capsys.readouterr().out
    assert "| bare PyTorch, fp32 | " in text
    assert "to a loss of 4.2 nats" in text
    assert "torch " in text
    bare = json.loads((tmp_path / "work/character/loss-bare-pytorch--fp32.json").read_text())
    assert bare["reached"]
