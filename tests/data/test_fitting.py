from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from seqforge.data import DataModule, Lanes, PlanLoader, StreamLoader, TokenBudgetPlan, TokenChunk
from seqforge.encoders import LSTM
from seqforge.text import CharacterVocabulary
from seqforge.training import SequenceModule
from seqforge.training.history import MetricHistory
from seqforge.training.schedule import Constant
from seqforge_tasks.char_generation import CharGeneration

TEXT = "".join(np.random.default_rng(0).choice(list("abcd"), 500))
VOCABULARY = CharacterVocabulary.of(TEXT)
LANES = Lanes(VOCABULARY.encode(TEXT), 10, 8, whole=True)


class Chunks(DataModule):
    def spec(self) -> dict[str, Any]:
        return {"vocabulary": VOCABULARY.spec()}


class Budgeted(Chunks):
    def train_dataloader(self) -> PlanLoader[TokenChunk]:
        lengths = [LANES[number].length for number in range(70)]
        return self.train_loader(LANES, TokenBudgetPlan(lengths, 80), Lanes.collate)


class ChunkShards:
    num_shards = 5

    def shard(self, num_shards: int, index: int) -> Iterable[TokenChunk]:
        return (LANES[number] for number in range(index, 70, num_shards))


class Streamed(Chunks):
    def train_dataloader(self) -> StreamLoader[TokenChunk]:
        return self.stream_loader(ChunkShards(), collate, batches_per_epoch=6, buffer=4)


def collate(numbers: Sequence[int], chunks: list[TokenChunk]) -> Any:
    return Lanes.collate(numbers, [chunk._replace(start=True) for chunk in chunks])


def _fit(
    data: DataModule, folder: Path, steps: int, resume: Path | None = None
) -> tuple[SequenceModule, pl.Trainer]:
    torch.manual_seed(0)
    module = SequenceModule(CharGeneration(), partial(LSTM, hidden_size=8), schedule=Constant)
    trainer = pl.Trainer(
        max_steps=steps,
        accelerator="cpu",
        logger=[MetricHistory(folder)],
        log_every_n_steps=1,
        limit_val_batches=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
    return module, trainer


quiet = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers",
    "ignore:.*LeafSpec",
    "ignore:.*val_dataloader",
    "ignore:.*treespec",
)


@quiet
def test_the_share_of_padding_is_logged_once(tmp_path: Path) -> None:
    _fit(Budgeted(), tmp_path, 3)
    rows = (tmp_path / "metrics.csv").read_text(encoding="utf-8").splitlines()
    column = rows[0].split(",").index("data/padding")
    values = [row.split(",")[column] for row in rows[1:]]

    assert [value for value in values if value] == values[:1]
    assert 0 < float(values[0]) < 0.2


@quiet
@pytest.mark.parametrize("workers", [0, 2])
def test_a_streamed_fit_goes_on_where_it_stopped(tmp_path: Path, workers: int) -> None:
    whole, _ = _fit(Streamed(6), tmp_path / "whole", 15)
    _, trainer = _fit(Streamed(6, num_workers=workers), tmp_path / "part", 8)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    data = Streamed(6, num_workers=workers)
    resumed, _ = _fit(data, tmp_path / "part", 15, tmp_path / "last.ckpt")

    assert data.state_dict() == {"epoch": 2, "delivered": 3, "taken": 15, "world_size": 1}
    for name, weights in whole.state_dict().items():
        assert torch.equal(weights, resumed.state_dict()[name])
