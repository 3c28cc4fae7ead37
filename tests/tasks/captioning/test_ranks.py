"""Fine-tuning an image encoder gives the same weights on one process and on two."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.tasks.captioning.clips.clip_albums import clip_album
from tests.tasks.captioning.photos.albums import album

ROOT = Path(__file__).parents[3]

CONFIG = """
model:
  encoder: {class_path: GRU, init_args: {hidden_size: 6}}
  task:
    class_path: Captioning
    init_args:
      image_encoder: {class_path: tests.tasks.captioning.networks.Normalised}
      embedding_size: 5
      region_size: 7
      dropout: 0.0
      finetune_epoch: 1
      finetune_rate: 0.5
      beam_size: 1
  optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.5}}
data: {class_path: DATA, init_args: {path: album, image_size: 8, batch_size: 6, select: 2}}
trainer: {max_epochs: 3, accelerator: cpu, precision: 64-true}
"""


def _weights(folder: Path, devices: int) -> dict[str, Tensor]:
    command = [sys.executable, "-m", "seqforge", "fit", "--config", "tiny.yaml"]
    command += ["--run", f"on{devices}", f"--trainer.devices={devices}"]
    ended = subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    file = folder / "runs" / f"on{devices}" / "checkpoints" / "last.ckpt"
    weights: dict[str, Tensor] = torch.load(file, weights_only=False)["state_dict"]
    return weights


@pytest.mark.parametrize("data", ["ImageCaptions", "VideoCaptions"])
def test_fine_tuning_does_not_depend_on_the_number_of_processes(data: str, tmp_path: Path) -> None:
    made = album if data == "ImageCaptions" else clip_album
    made(tmp_path / "album", 14, ["train", "train", "train", "test"])
    (tmp_path / "tiny.yaml").write_text(CONFIG.replace("DATA", data), encoding="utf-8")
    one, two = _weights(tmp_path, 1), _weights(tmp_path, 2)

    assert one.keys() == two.keys()
    for name, weight in one.items():
        assert torch.allclose(weight.double(), two[name].double(), rtol=1e-9, atol=1e-10), name
    # Batch statistics rest where they were, weights do not: the bias was loaded as ones.
    (mean,) = (weight for name, weight in one.items() if name.endswith("norm.running_mean"))
    (bias,) = (weight for name, weight in one.items() if name.endswith("norm.bias"))
    assert not mean.any()
    assert not torch.isclose(bias, torch.ones_like(bias)).any()
