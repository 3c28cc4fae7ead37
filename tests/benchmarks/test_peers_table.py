"""The command runs, tiny, without any peer; what was measured is not measured again."""

import json
from pathlib import Path

import pytest

from benchmarks.peers_table import SUBJECTS, main, parsed
from tests.benchmarks.test_peers_page import OWN, PEER


def test_what_was_measured_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.peers_table.PHOTOS", 2)
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
