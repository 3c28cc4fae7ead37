"""Nine real clips go through training and inference."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import seqforge.cli.fit  # noqa: F401 - imported before any test, as it sets variables of libraries
from seqforge.cli.main import main

DATA = Path(os.environ.get("SEQFORGE_DATA", "")) / "video_msvd_mini"

pytestmark = pytest.mark.skipif(
    "SEQFORGE_DATA" not in os.environ or not DATA.is_dir(), reason="SEQFORGE_DATA has no real clips"
)

CONFIG = """
model:
  encoder: {class_path: LSTM, init_args: {hidden_size: 32}}
  task:
    class_path: Captioning
    init_args:
      image_encoder: {class_path: SmallCNN, init_args: {channels: [8, 16]}}
      embedding_size: 16
      region_size: 16
data:
  class_path: VideoCaptions
  init_args: {path: PATH, image_size: 32, batch_size: 8, select: 1, report: 1, frames: 6}
trainer: {max_epochs: 2, accelerator: cpu, devices: 1}
"""


def test_real_clips_are_learnt_from_and_captioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av")
    monkeypatch.chdir(tmp_path)
    # A file of its own name that the captions have: `clips.jsonl`.
    config = CONFIG.replace("PATH", str(DATA / "clips.jsonl"))
    Path("real.yaml").write_text(config, encoding="utf-8")
    assert main(["fit", "--config", "real.yaml", "--run", "one"]) == 0
    capsys.readouterr()

    files = sorted((DATA / "clips").glob("*.avi"))
    assert main(["infer", "runs/one", "-i", *map(str, files), "--attention", "when.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines] == [str(file) for file in files]
    assert np.asarray(Image.open("when-1.png")).std() > 10
