"""Writes checkpoints so that a kill or a full disk leaves the old file whole."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from seqforge.errors import UserError


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, syncs, then renames; other file systems are left to Lightning."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Save a checkpoint.

        Raises:
            UserError: The file cannot be written; the one before it is intact.
        """
        if "://" in os.fspath(path):
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        target = Path(path)
        part = target.with_name(f"{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
            _sync_folder(target.parent)
        except BaseException as error:
            part.unlink(missing_ok=True)
            if not _is_about_writing(error):
                raise  # a killed data worker is told of wherever the process happens to be
            free = shutil.disk_usage(_existing(target.parent)).free
            raise UserError(
                f"cannot write the checkpoint '{target}': {str(error).splitlines()[0]}",
                where=f"{free / 2**20:,.0f} MiB are free there",
                todo="make room or choose another trainer.default_root_dir; "
                "the checkpoint before it is intact",
            ) from error


def _is_about_writing(error: BaseException) -> bool:
    # A full disk makes torch's own writer raise RuntimeError: "unexpected pos".
    signs = ("unexpected pos", "inline_container")
    torchs = isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)
    return isinstance(error, OSError) or torchs


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
