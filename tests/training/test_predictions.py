"""The file of predictions: each sample once, in order, written whole or not at all."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytorch_lightning as pl
import torch

from seqforge.data import Batch
from seqforge.errors import UserError
from seqforge.training import Predictions
from seqforge.training.predictions import PREDICTIONS

MODULE = pl.LightningModule()


def _trainer(folder: Path, world_size: int = 1, first: bool = True) -> pl.Trainer:
    values = {"world_size": world_size, "is_global_zero": first, "default_root_dir": str(folder)}
    return cast("pl.Trainer", SimpleNamespace(**values))


def _add(predictions: Predictions, trainer: pl.Trainer, *numbers: int) -> None:
    rows = [{"text": f"Zeile {number} ä"} for number in numbers]
    batch = Batch(ids=torch.tensor(numbers))
    predictions.on_predict_batch_end(trainer, MODULE, rows, batch, 0)


def _read(folder: Path) -> list[Any]:
    lines = (folder / PREDICTIONS).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["id"] for line in lines]


def test_samples_are_sorted_and_fillers_left_out(tmp_path: Path) -> None:
    predictions, trainer = Predictions(), _trainer(tmp_path / "new")
    _add(predictions, trainer, 5, 3)
    _add(predictions, trainer, -1)
    _add(predictions, trainer, 0, 4)

    predictions.on_predict_end(trainer, MODULE)

    assert _read(tmp_path / "new") == [0, 3, 4, 5]
    assert "Zeile 0 ä" in (tmp_path / "new" / PREDICTIONS).read_text(encoding="utf-8")
    assert [file.name for file in (tmp_path / "new").iterdir()] == [PREDICTIONS]

    _add(predictions, trainer, 7)
    predictions.on_predict_end(trainer, MODULE)
    assert _read(tmp_path / "new") == [7]


def test_the_first_process_writes_what_all_have_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gather(parts: list[Any], own: Any) -> None:
        parts[:] = [own, {1: {"text": "other"}}]

    monkeypatch.setattr(torch.distributed, "all_gather_object", gather)
    for first in (False, True):
        predictions, trainer = Predictions(), _trainer(tmp_path, 2, first)
        _add(predictions, trainer, 2, 0)
        predictions.on_predict_end(trainer, MODULE)
        assert (tmp_path / PREDICTIONS).exists() == first

    assert _read(tmp_path) == [0, 1, 2]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    predictions, trainer = Predictions(), _trainer(tmp_path / "file")
    _add(predictions, trainer, 0)

    with pytest.raises(UserError, match="cannot write") as caught:
        predictions.on_predict_end(trainer, MODULE)
    assert caught.value.where == "trainer.default_root_dir"
