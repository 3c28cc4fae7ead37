"""Fine-tuning an image encoder gives the same weights on one process and on two.

What is set free after the processes have agreed on what they share is not shared: each would learn
from its own pictures alone.
"""

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
      image_encoder: {class_path: tests.tasks.captioning.networks.Summarising}
      conditioning: CONDITIONING
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

PROBE = '''
"""Each process writes down its own weights after each epoch, before the next one."""
import torch
from seqforge.training import sequence_module

def on_train_epoch_end(self):
    place = f"{self.trainer.world_size}-{self.trainer.global_rank}-{self.trainer.current_epoch}"
    torch.save(self.state_dict(), f"weights-{place}.pt")

sequence_module.SequenceModule.on_train_epoch_end = on_train_epoch_end
'''

Weights = dict[str, Tensor]


def _fit(folder: Path, devices: int) -> list[list[Weights]]:
    """Return the weights after each epoch, on each process."""
    command = [sys.executable, "-m", "seqforge", "fit", "--config", "tiny.yaml"]
    command += ["--run", f"on{devices}", f"--trainer.devices={devices}"]
    ended = subprocess.run(
        command,
        cwd=folder,
        env={
            "PYTHONPATH": f"{folder}:{ROOT}",
            "SEQFORGE_PLUGINS": "probe",
            "OMP_NUM_THREADS": "1",
            "PATH": "",
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return [
        [
            torch.load(folder / f"weights-{devices}-{rank}-{epoch}.pt", weights_only=True)
            for epoch in range(3)
        ]
        for rank in range(devices)
    ]


def _only(weights: Weights, ending: str) -> Tensor:
    (found,) = (weight for name, weight in weights.items() if name.endswith(ending))
    return found


@pytest.mark.distributed
@pytest.mark.parametrize(
    ("data", "conditioning"), [("ImageCaptions", "both"), ("VideoCaptions", "start")]
)
def test_fine_tuning_does_not_depend_on_the_number_of_processes(
    data: str, conditioning: str, tmp_path: Path
) -> None:
    made = album if data == "ImageCaptions" else clip_album
    made(tmp_path / "album", 14, ["train", "train", "train", "test"])
    config = CONFIG.replace("DATA", data).replace("CONDITIONING", conditioning)
    (tmp_path / "tiny.yaml").write_text(config, encoding="utf-8")
    (tmp_path / "probe.py").write_text(PROBE, encoding="utf-8")
    (one,), two = _fit(tmp_path, 1), _fit(tmp_path, 2)

    for epoch, expected in enumerate(one):
        first, second = (rank[epoch] for rank in two)
        assert expected.keys() == first.keys() == second.keys()
        for name, weight in expected.items():
            torch.testing.assert_close(first[name], weight, rtol=1e-9, atol=1e-10, msg=name)
            assert torch.equal(first[name], second[name]), f"epoch {epoch}: {name}"
    # Batch statistics rest where they were. Weights do in the first epoch, and in no other one.
    biases = [_only(weights, "norm.bias") for weights in one]
    assert torch.equal(biases[0], torch.ones_like(biases[0]))
    assert not torch.isclose(biases[1], biases[0]).any()
    assert not torch.isclose(biases[2], biases[1]).any()
    assert not _only(one[-1], "norm.running_mean").any()
    assert _only(one[-1], "norm.bias").dtype == torch.float64
