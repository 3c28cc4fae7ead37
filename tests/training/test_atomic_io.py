import os
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.errors import UserError
from seqforge.training import AtomicCheckpointIO

SAVED: dict[str, Any] = {"weights": torch.ones(3)}


def test_writes_a_file_that_loads_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.ckpt"
    AtomicCheckpointIO().save_checkpoint(SAVED, target)

    assert torch.equal(torch.load(target, weights_only=True)["weights"], torch.ones(3))
    assert [file.name for file in target.parent.iterdir()] == ["a.ckpt"]


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), RuntimeError("unexpected pos 64 vs 0")]
)
def test_a_failed_write_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    target = tmp_path / "a.ckpt"
    AtomicCheckpointIO().save_checkpoint(SAVED, target)
    before = target.read_bytes()

    def fail(checkpoint: object, file: Any) -> None:
        file.write(b"half of a file")
        raise error

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(UserError, match="cannot write the checkpoint") as caught:
        AtomicCheckpointIO().save_checkpoint(SAVED, target)

    assert "MiB are free" in str(caught.value)
    assert target.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.ckpt"]


def test_a_kill_before_the_renaming_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.ckpt"
    AtomicCheckpointIO().save_checkpoint(SAVED, target)
    before = target.read_bytes()

    def killed(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        AtomicCheckpointIO().save_checkpoint({"weights": torch.zeros(9)}, target)
    assert target.read_bytes() == before

    monkeypatch.undo()
    AtomicCheckpointIO().save_checkpoint(SAVED, target)
    assert [file.name for file in tmp_path.iterdir()] == ["a.ckpt"]
