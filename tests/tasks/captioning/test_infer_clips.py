"""Training on clips and captioning clips by the command line, all on one small run."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import seqforge
import seqforge.cli.fit
from seqforge.cli.main import main
from seqforge_tasks.captioning import Captioning
from tests.tasks.captioning.clips.clip_albums import clip_album
from tests.tasks.captioning.photos.albums import picture
from tests.vision.clip_files import write_video

Output = pytest.CaptureFixture[str]

CONFIG = """
model:
  encoder: {class_path: GRU, init_args: {hidden_size: 8}}
  task:
    class_path: Captioning
    init_args:
      image_encoder: {class_path: SmallCNN, init_args: {channels: [4, 8]}}
      embedding_size: 8
      region_size: 8
      beam_size: 2
data:
  class_path: VideoCaptions
  init_args: {path: album, image_size: 8, batch_size: 8, select: 3, frames: 4}
trainer: {max_epochs: 1, accelerator: cpu, devices: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, `runs/one`."""
    made, before = tmp_path_factory.mktemp("clips"), Path.cwd()
    clip_album(made / "album", 16, ["train", "train", "train", "test"])
    write_video(made / "clip.avi", 20)
    (made / "tiny.yaml").write_text(CONFIG, encoding="utf-8")
    os.chdir(made)
    try:
        assert main(["fit", "--config", "tiny.yaml", "--run", "one"]) == 0
    finally:
        os.chdir(before)
    return made


@pytest.fixture(autouse=True)
def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")


def infer(*words: str) -> int:
    return main(["infer", "runs/one", *words])


def test_a_contact_sheet_shows_frames() -> None:
    (sheet,) = Path("runs/one/samples").glob("*captions.png")
    assert np.asarray(Image.open(sheet)).std() > 10


def test_videos_animations_and_folders_are_captioned(capsys: Output) -> None:
    assert infer("-i", "clip.avi", "album/clips/clip1.gif", "album/clip0") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        "clip.avi",
        "album/clips/clip1.gif",
        "album/clip0",
    ]


def test_the_same_caption_as_in_training(capsys: Output) -> None:
    assert infer("-i", "album/clip0", "album/clips/clip3.gif", "--format", "jsonl") == 0
    told = [json.loads(line)["caption"] for line in capsys.readouterr().out.splitlines()]
    task = seqforge.load(Path("runs/one"))
    assert isinstance(task, Captioning)
    assert task.caption([Path("album/clip0"), Path("album/clips/clip3.gif")]) == told


def test_test_and_predict_read_clips(capsys: Output) -> None:
    config = ["--config", "runs/one/config.yaml", "--ckpt_path", "runs/one"]
    assert main(["test", *config]) == 0
    assert "test/cider" in capsys.readouterr().out
    assert main(["predict", *config, "--trainer.default_root_dir", "told"]) == 0
    (file,) = Path("told").glob("**/predictions.jsonl")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["file"] for row in rows] == ["clip3", "clip7", "clip11", "clip15"]


def test_a_picture_shows_when_each_word_looks() -> None:
    assert infer("-i", "clip.avi", "--attention", "when.png", "--min-length", "3") == 0
    drawn = np.asarray(Image.open("when.png").convert("RGB")).astype(int)
    # Four frames in grey, and blue cells below them.
    blue = (drawn[..., 2] - drawn[..., 0]) > 20
    assert blue.sum() > 500
    assert not blue[: drawn.shape[0] // 4].any()


def test_clips_are_trained_on_their_measure(tmp_path: Path, capsys: Output) -> None:
    words = ["--trainer.default_root_dir", str(tmp_path), "--run", "rewarded"]
    words += ["--model.task.self_critical_epoch", "0", "--trainer.log_every_n_steps", "1"]
    assert main(["fit", "--config", "tiny.yaml", *words]) == 0
    (metrics,) = tmp_path.glob("**/metrics.csv")
    assert "train/reward" in metrics.read_text(encoding="utf-8").splitlines()[0]
    captured = capsys.readouterr()
    assert "-i clip.avi" in captured.out + captured.err


@pytest.mark.parametrize("conditioning", ["start", "attention"])
def test_other_conditionings_are_trained_and_used(
    conditioning: str, tmp_path: Path, capsys: Output
) -> None:
    words = ["--trainer.default_root_dir", str(tmp_path), "--run", "other"]
    key = f"--model.task.conditioning={conditioning}"
    frames = "{class_path: LSTM, init_args: {hidden_size: 6, bidirectional: true}}"
    words += [key, f"--model.roles={{frames: {frames}}}"]
    assert main(["fit", "--config", "tiny.yaml", *words]) == 0
    capsys.readouterr()
    (run,) = tmp_path.glob("**/checkpoints")
    assert main(["infer", str(run.parent), "-i", "album/clip0"]) == 0
    assert capsys.readouterr().out.startswith("album/clip0\t")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-i", "clap.avi"], r"there is no file 'clap\.avi' .*clip\.avi"),
        (["-i", "bad.avi"], r"bad\.avi"),
        (["-i", "tiny.yaml"], r"tiny\.yaml' is no clip"),
    ],
)
def test_wrong_inputs_are_named(words: list[str], said: str, capsys: Output) -> None:
    Path("bad.avi").write_bytes(b"RIFF nothing")
    assert infer(*words) == 2
    captured = capsys.readouterr().err
    assert re.search(said, " ".join(captured.split()))
    assert "Traceback" not in captured


def test_a_photo_is_no_clip(capsys: Output) -> None:
    Path("photo.png").write_bytes(picture(1))
    code = infer("-i", "photo.png")
    said = capsys.readouterr()
    assert code == 0 or "photo.png" in said.err
    assert "Traceback" not in said.err


def test_frames_of_a_frozen_encoder_are_cached_once(tmp_path: Path, capsys: Output) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    words = ["--config", "tiny.yaml", "--data.image_size", "32", "--data.cache", str(tmp_path)]
    words += ["--trainer.default_root_dir", str(tmp_path)]
    image = "--model.task.image_encoder"
    assert main(["fit", *words, f"{image}=EfficientNetLite", "--run", "frozen"]) == 0
    files = sorted(tmp_path.glob("features-*.npy"))
    assert len(files) == 2  # of training and of validation
    rows = sum(len(np.load(file)) - 1 for file in files)  # a probe is in each
    assert rows == 12 * 4
    before = [file.stat().st_mtime_ns for file in files]
    assert main(["fit", *words, f"{image}=EfficientNetLite", "--run", "again"]) == 0
    assert [file.stat().st_mtime_ns for file in sorted(tmp_path.glob("features-*.npy"))] == before
