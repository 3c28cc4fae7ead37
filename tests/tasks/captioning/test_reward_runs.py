"""Training on rewards: resumed inside an epoch, and on two processes, it is the same training."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from seqforge import SequenceModule
from seqforge.encoders import GRU
from seqforge.training import Cosine
from seqforge.vision import SmallCNN
from seqforge_tasks.captioning import Captioning, ImageCaptions
from seqforge_tasks.captioning.clips import VideoCaptions
from seqforge_tasks.captioning.photos import CaptionData
from tests.contracts.support import resumable, weights
from tests.tasks.captioning.clips.clip_albums import clip_album
from tests.tasks.captioning.photos.albums import album

ROOT = Path(__file__).parents[3]
SPLITS = ["train", "train", "train", "test"]

CONFIG = """
model:
  encoder: {class_path: GRU, init_args: {hidden_size: 6}}
  task:
    class_path: Captioning
    init_args:
      image_encoder: {class_path: SmallCNN, init_args: {channels: [4]}}
      embedding_size: 5
      region_size: 7
      dropout: 0.3
      self_critical_epoch: 0
      self_critical_rate: 1.0
      beam_size: 1
  optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.5}}
data: {class_path: ImageCaptions, init_args: {path: album, image_size: 8, batch_size: 7, select: 2}}
trainer: {max_epochs: 2, accelerator: cpu, precision: 64-true}
"""


class Killed(Exception):
    """What ends a run in the middle of an epoch."""


class Kill(pl.Callback):
    """Ends a run after so many steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            raise Killed


def module() -> SequenceModule:
    pl.seed_everything(0, verbose=False)
    return SequenceModule(
        Captioning(
            SmallCNN(channels=(4,)),
            embedding_size=6,
            region_size=6,
            dropout=0.3,
            self_critical_epoch=1,
            beam_size=1,
        ),
        partial(GRU, hidden_size=8, dropout=0.2),
        optimizer=partial(torch.optim.AdamW, lr=0.01),
        schedule=Cosine,
        ema=0.9,
    )


@pytest.mark.parametrize(
    ("kind", "made"), [(ImageCaptions, album), (VideoCaptions, clip_album)], ids=["photos", "clips"]
)
def test_a_run_killed_while_rewards_teach_ends_with_the_same_weights(
    kind: Callable[..., CaptionData], made: Callable[..., Path], tmp_path: Path
) -> None:
    folder = made(tmp_path / "album", 16, SPLITS)
    data = partial(
        kind,
        str(folder),
        image_size=8,
        batch_size=6,
        select=2,
        seed=0,
        cache=str(tmp_path / "cache"),
    )
    whole, uninterrupted = module(), resumable(tmp_path / "whole")
    uninterrupted.fit(whole, datamodule=data())
    steps = int(uninterrupted.num_training_batches)
    assert steps >= 5

    with pytest.raises(Killed):
        resumable(tmp_path / "cut", Kill(steps + 4)).fit(module(), datamodule=data())
    last = tmp_path / "cut" / "checkpoints" / "last.ckpt"
    assert steps < torch.load(last, weights_only=True)["global_step"] < steps + 5
    resumed = module()
    torch.manual_seed(98)  # whatever chance is in the new process
    resumable(tmp_path / "cut").fit(resumed, datamodule=data(), ckpt_path=last, weights_only=True)

    expected = weights(whole)
    for name, value in weights(resumed).items():
        assert torch.equal(value, expected[name]), name


def _weights(folder: Path, devices: int) -> dict[str, Tensor]:
    command = [sys.executable, "-m", "seqforge", "fit", "--config", "tiny.yaml"]
    ended = subprocess.run(
        [*command, "--run", f"on{devices}", f"--trainer.devices={devices}"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    file = folder / "runs" / f"on{devices}" / "checkpoints" / "last.ckpt"
    found: dict[str, Tensor] = torch.load(file, weights_only=True)["state_dict"]
    return found


@pytest.mark.distributed
def test_rewards_teach_the_same_on_two_processes(tmp_path: Path) -> None:
    album(tmp_path / "album", 14, SPLITS)
    (tmp_path / "tiny.yaml").write_text(CONFIG, encoding="utf-8")
    one, two = _weights(tmp_path, 1), _weights(tmp_path, 2)
    assert one.keys() == two.keys()
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=1e-8, atol=1e-9, msg=name)
