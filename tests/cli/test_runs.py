"""Run folders: made once, found again, refused when they are not the same run."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from seqforge.cli import run_config, runs
from seqforge.errors import UserError

CONFIG: dict[str, Any] = {
    "seed_everything": 0,
    "trainer": {"max_epochs": 2, "max_steps": -1, "max_time": None, "precision": "32-true"},
    "model": {"ema": 0.0, "optimizer": {"init_args": {"lr": 0.1}}},
}


def changed(**keys: Any) -> dict[str, Any]:
    """Return the configuration with dotted keys (`__` for a dot) set to other values."""
    config: dict[str, Any] = json.loads(json.dumps(CONFIG))
    for key, value in keys.items():
        *groups, last = key.split("__")
        part = config
        for group in groups:
            part = part[group]
        part[last] = value
    return config


def new(root: Path, resume: str = "no", name: str = "", **keys: Any) -> runs.Run:
    return runs.decide(root, changed(**keys), "Task", resume, name)


def put_checkpoint(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    last = run.folder / "checkpoints" / "last.ckpt"
    last.parent.mkdir()
    last.touch()
    monkeypatch.setattr("seqforge.checkpoint.read", lambda path: {"global_step": 5})
    return last


def test_many_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    made: list[Path] = []
    threads = [
        threading.Thread(target=lambda: made.append(new(tmp_path / "runs").folder))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 12
    assert all(run_config.read(folder) == CONFIG for folder in made)


def test_auto_takes_the_newest_unfinished_run_of_this_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished, other, mine = (new(tmp_path, name=name) for name in ("finished", "other", "mine"))
    runs.finish(finished, CONFIG)
    (other.folder / "config.yaml").write_text(run_config.dump(changed(model__ema=0.9)))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.yaml").write_text("{")
    last = put_checkpoint(mine, monkeypatch)

    found = new(tmp_path, resume="auto", trainer__max_epochs=5)

    assert (found.folder, found.checkpoint) == (mine.folder, str(last))
    fresh = new(tmp_path, resume="auto", seed_everything=1)
    assert fresh.folder not in (finished.folder, other.folder, mine.folder)
    assert "differs in" in fresh.note


def test_a_run_without_checkpoint_starts_afresh_in_its_folder(tmp_path: Path) -> None:
    first = new(tmp_path)

    again = new(tmp_path, resume=str(first.folder))

    assert (again.folder, again.checkpoint) == (first.folder, "")
    assert "starts afresh" in again.note


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"model__ema": 0.5}, "model.ema is 0.5"),
        ({"seed_everything": 1}, "seed_everything is 1"),
        ({"trainer__precision": "64-true", "model__ema": 0.5}, "(and 1 more)"),
    ],
)
def test_what_a_resumed_run_may_not_change(tmp_path: Path, keys: dict[str, Any], key: str) -> None:
    new(tmp_path, name="mine")

    with pytest.raises(UserError) as caught:
        new(tmp_path, name="mine", **keys)

    assert key in caught.value.given
    assert caught.value.where.endswith("mine/config.yaml")


def test_what_a_resumed_run_may_change(tmp_path: Path) -> None:
    new(tmp_path, name="mine")

    keys: dict[str, Any] = {"trainer__max_epochs": 9, "model__optimizer__init_args__lr": 0.01}
    assert new(tmp_path, name="mine", **keys).folder == tmp_path / "mine"


def test_a_finished_run_is_finished_under_its_limits_only(tmp_path: Path) -> None:
    run = new(tmp_path)
    runs.finish(run, CONFIG)

    assert runs.is_finished(run.folder, CONFIG)
    assert not runs.is_finished(run.folder, changed(trainer__max_epochs=3))
    runs.resume(run.folder, changed(trainer__max_epochs=3))
    assert not (run.folder / runs.FINISHED).exists()
    assert run_config.limits(changed(trainer__max_epochs=3))["max_epochs"] == 3
    assert (run.folder / "config-2.yaml").is_file()


@pytest.mark.parametrize("name", ["..", "a/b", "/tmp", "a\\b", "a\nb", "."])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="no name of a run"):
        new(tmp_path, name=name)


def test_a_name_may_be_that_of_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()

    assert new(tmp_path, name="mine").folder == tmp_path / "mine"
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot make the run folder"):
        new(tmp_path, name="file")


def test_paths_to_go_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new(tmp_path, name="mine")
    last = put_checkpoint(run, monkeypatch)
    best = last.with_name("best.ckpt")
    best.touch()

    assert new(tmp_path, resume=str(last)).checkpoint == str(last)
    with pytest.raises(UserError) as caught:
        new(tmp_path, resume=str(best))
    assert caught.value.closest == str(last)
    with pytest.raises(UserError) as caught:
        new(tmp_path, resume=str(tmp_path / "mime"))
    assert caught.value.closest == str(run.folder)


def test_unused_folders_go_and_used_ones_stay(tmp_path: Path) -> None:
    unused, used, trial = new(tmp_path), new(tmp_path), runs.trial()
    (used.folder / "checkpoints").mkdir()
    (trial.folder / "checkpoints").mkdir()

    for run in (unused, used, trial, runs.Run(Path())):
        runs.discard_unused(run)

    assert [run.folder.exists() for run in (unused, used, trial)] == [False, True, False]
