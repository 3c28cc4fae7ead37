"""Failures of the machine: a clear end, a checkpoint that loads, and nothing left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.cli.main import main
from seqforge.data import Lanes
from seqforge.errors import OK, USER_MISTAKE
from seqforge.training import SequenceModule
from tests.distributed import launches

pytestmark = pytest.mark.timeout(60)

FIT = ["fit", "--config", "run.yaml", "--run", "one"]
LAST = Path("one", "checkpoints", "last.ckpt")
At = Callable[[int, Callable[[], object]], None]
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    launches.write_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    shared = _shared_memory()
    yield
    assert not multiprocessing.active_children()
    assert _shared_memory() <= shared
    assert not [target for target in _open_files() if str(tmp_path) in target]
    assert not [*tmp_path.rglob("*.part"), *tmp_path.rglob("*.tmp")]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not _mount(folder, "size=2m"):
        pytest.skip("a disk of its own needs root, and permission to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=20)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Do something before a batch of the first epoch, once."""
    original = SequenceModule.training_step

    def arrange(place: int, action: Callable[[], object]) -> None:
        done: list[int] = []

        def training_step(self: SequenceModule, batch: Any, batch_idx: int) -> torch.Tensor:
            if batch_idx == place and not done:
                done.append(1)
                action()
            return original(self, batch, batch_idx)

        monkeypatch.setattr(SequenceModule, "training_step", training_step)

    return arrange


def test_a_full_disk(disk: Path, at: At, capsys: Output) -> None:
    root = ["--trainer.default_root_dir", str(disk)]
    filler = disk / "filler"
    at(4, lambda: _fill(filler))

    assert main([*FIT, *root]) == USER_MISTAKE
    lines = _message(capsys)
    assert "No space left" in lines[0] or "unexpected pos" in lines[0]
    assert torch.load(disk / LAST, weights_only=True)["global_step"] >= 1
    filler.unlink()
    assert main([*FIT, *root]) == OK
    _require_whole(disk)


def test_a_read_only_folder(disk: Path, capsys: Output) -> None:
    root = ["--trainer.default_root_dir", str(disk)]
    assert main([*FIT, *root, "--trainer.max_steps", "3"]) == OK
    capsys.readouterr()
    assert _mount(disk, "remount,ro")

    for name in ("one", "another"):
        assert main([*FIT[:3], *root, "--run", name]) == USER_MISTAKE, name
        assert "Read-only file system" in _message(capsys)[0]
    assert torch.load(disk / LAST, weights_only=True)["global_step"] == 3
    assert not (disk / "another").exists()


def test_a_data_file_that_vanishes_between_runs(at: At, capsys: Output) -> None:
    at(5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    main(FIT)
    capsys.readouterr()
    Path("small.txt").rename("elsewhere.txt")

    assert main(FIT) == USER_MISTAKE
    assert "there is no text file 'small.txt'" in _message(capsys)[0]
    Path("elsewhere.txt").rename("small.txt")
    assert main(FIT) == OK
    _require_whole(Path("runs"))


def test_a_data_file_that_vanishes_during_training(
    at: At, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    read = Lanes.__getitem__

    def read_from_file(self: Lanes, index: int) -> Any:
        Path("small.txt").read_bytes()
        return read(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(Lanes, "__getitem__", read_from_file)
        at(5, Path("small.txt").unlink)
        with pytest.raises(FileNotFoundError, match=r"small\.txt"):
            main(FIT)
    launches.write_inputs(Path.cwd())
    assert main(FIT) == OK
    _require_whole(Path("runs"))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_data_worker_that_is_killed(at: At, capsys: Output) -> None:
    at(5, lambda: os.kill(_worker(), signal.SIGKILL))
    workers = ["--data.num_workers", "2"]

    with pytest.raises(RuntimeError, match=r"DataLoader worker .* (killed|exited)"):
        main([*FIT, *workers])
    assert main([*FIT, *workers]) == OK
    _require_whole(Path("runs"))


def _worker() -> int:
    # Idle by then: killed within a call of torch's, it would leave what that call has opened.
    time.sleep(0.5)
    number = multiprocessing.active_children()[0].pid
    assert number is not None
    return number


def _require_whole(root: Path) -> None:
    """Require that the run came to the weights of one that nothing happened to."""
    assert main([*FIT[:3], "--run", "whole", "--trainer.default_root_dir", "undisturbed"]) == OK
    ours, whole = (
        torch.load(file, weights_only=True)["state_dict"]
        for file in (root / LAST, Path("undisturbed", "whole", *LAST.parts[1:]))
    )
    launches.require_same(ours, whole)


def _message(capsys: Output) -> list[str]:
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) <= 5
    return lines


def _mount(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True, timeout=20).returncode == 0


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler:
        try:
            while filler.write(bytes(1024)):
                pass
        except OSError:
            return


def _shared_memory() -> set[str]:
    return {each.name for each in Path("/dev/shm").glob("*torch*")}


def _open_files() -> list[str]:
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(link.readlink()))
        except OSError:
            continue
    return found
