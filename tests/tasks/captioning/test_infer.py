"""Training and captioning by the command line, all on one small run."""

import io
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import seqforge
from seqforge.cli.main import main
from seqforge_tasks.captioning import Captioning, CaptioningOptions
from tests.tasks.captioning.photos.albums import album, picture

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
  class_path: ImageCaptions
  init_args: {path: album, image_size: 8, batch_size: 8, select: 3}
trainer: {max_epochs: 1, accelerator: cpu, devices: 1}
"""
PHOTOS = [f"album/{number}.png" for number in (0, 1, 10)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, `runs/one`."""
    made, before = tmp_path_factory.mktemp("captioning"), Path.cwd()
    album(made / "album", 16, ["train", "train", "train", "test"])
    (made / "tiny.yaml").write_text(CONFIG, encoding="utf-8")
    os.chdir(made)
    torch.set_num_threads(1)
    try:
        assert main(["fit", "--config", "tiny.yaml", "--run", "one"]) == 0
    finally:
        os.chdir(before)
    return made


@pytest.fixture(autouse=True)
def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")


def loaded() -> Captioning:
    task = seqforge.load(Path("runs/one"))
    assert isinstance(task, Captioning)
    return task


def infer(*words: str) -> int:
    return main(["infer", "runs/one", *words])


# -- training ----------------------------------------------------------------------------------


def test_scores_and_a_contact_sheet_of_each_epoch() -> None:
    metrics = Path("runs/one/logs/metrics.csv").read_text(encoding="utf-8").splitlines()[0]
    names = ("cider", "bleu_1", "bleu_4", "rouge_l", "distinct", "truncated", "loss", "perplexity")
    for name in names:
        assert f"val/{name}" in metrics
    (sheet,) = Path("runs/one/samples").glob("*captions.png")

    assert np.asarray(Image.open(sheet)).std() > 0
    (scores,) = Path("runs/one/samples").glob("*scores.txt")
    assert "CIDEr" in scores.read_text(encoding="utf-8")


# -- captioning --------------------------------------------------------------------------------


def test_files_folders_and_patterns(capsys: Output) -> None:
    expected = loaded().caption(PHOTOS)
    assert infer("-i", *PHOTOS) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{file}\t{caption}" for file, caption in zip(PHOTOS, expected, strict=True)
    ]
    assert infer("-i", "album") == 0
    folder = capsys.readouterr().out
    assert len(folder.splitlines()) == 16
    assert infer("-i", "album/*.png", "--batch-size", "3") == 0
    assert capsys.readouterr().out == folder
    assert infer("album/1.png") == 0
    assert capsys.readouterr().out == f"album/1.png\t{expected[1]}\n"


def test_standard_input(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = loaded().caption(["album/1.png"])
    for words in (["-i", "-"], []):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(picture(1))))
        assert infer(*words) == 0
        assert capsys.readouterr().out == f"-\t{expected[0]}\n"


def test_json_lines_into_a_file(capsys: Output) -> None:
    assert infer("-i", *PHOTOS, "--format", "jsonl", "--n-best", "2", "--output", "out.jsonl") == 0
    assert capsys.readouterr().out == ""
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]

    assert [row["file"] for row in rows] == PHOTOS
    assert [len(row["captions"]) for row in rows] == [2, 2, 2]
    options = CaptioningOptions(n_best=2)
    assert [row["caption"] for row in rows] == loaded().caption(PHOTOS, options)


def test_what_was_captioned_before_a_mistake_is_written(capsys: Output) -> None:
    Path("text.jpg").write_text("no picture")
    words = ["album/0.png", "album/1.png", "text.jpg", "album/2.png", "--output", "out.txt"]
    assert infer("-i", *words, "--batch-size", "1") == 2

    assert "'text.jpg' is no picture" in capsys.readouterr().err
    written = [line.split("\t")[0] for line in Path("out.txt").read_text().splitlines()]
    assert written == ["album/0.png", "album/1.png"]


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("--beem-size", "3"), "unrecognized arguments: --beem-size 3.*did you mean: --beam-size"),
        (("--beam-size", "0"), "beam_size is 0.*where: --beam-size.*from 1 to 1000"),
        (("--format", "xml"), "argument --format: invalid choice: 'xml'"),
        (("--attention", "nowhere/a.png"), "cannot write 'nowhere/a.png'.*where: --attention"),
        (("--attention", "tiny.yaml"), "'tiny.yaml' is not named as a picture"),
        (("a red dog",), "there is no picture 'a red dog'.*-i photo.jpg"),
        (("-i", "album/01.png"), "there is no file 'album/01.png'.*did you mean: album/"),
        (("-i", "album/*.gif"), r"no file fits 'album/\*.gif'"),
        (("-i", "cache"), "no file 'cache'|holds no pictures"),
    ],
)
def test_mistakes(words: tuple[str, ...], pattern: str, capsys: Output) -> None:
    given = words if words[0] in ("-i", "a red dog") else ("album/0.png", *words)
    assert infer(*given) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert len(captured.err.splitlines()) <= 5
    assert re.search(pattern, " ".join(captured.err.split()))


def test_help_explains_the_options(capsys: Output) -> None:
    assert infer("--help") == 0
    words = " ".join(capsys.readouterr().out.split())

    assert "options of Captioning" in words
    assert "Captions that are followed at once" in words
    for name in ("--beam-size INT", "--n-best INT", "--scores", "--attention STR", "--format"):
        assert name in words


def test_predictions_are_written_for_each_photo() -> None:
    assert main(["predict", "--config", "tiny.yaml", "--ckpt_path", "runs/one"]) == 0
    (file,) = Path("runs").rglob("predictions.jsonl")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    assert sorted(row["file"] for row in rows) == ["11.png", "15.png", "3.png", "7.png"]
    assert set(rows[0]) == {"id", "file", "caption", "score", "references"}
    assert all(len(row["references"]) == 3 for row in rows)


def test_a_run_is_finished_on_rewards() -> None:
    rewarded = ["--model.task.self_critical_epoch", "1", "--trainer.max_epochs", "2"]
    rewarded += ["--trainer.log_every_n_steps", "1"]
    assert main(["fit", "--config", "tiny.yaml", *rewarded, "--run", "whole"]) == 0
    header, *rows = Path("runs/whole/logs/metrics.csv").read_text(encoding="utf-8").splitlines()
    names = header.split(",")
    logged = [dict(zip(names, row.split(","), strict=True)) for row in rows]
    assert [each["epoch"] for each in logged if each["val/cider"]] == ["0.0", "1.0"]
    assert all(0 <= float(each["train/reward"]) <= 10 for each in logged if each["train/reward"])
    before = torch.load("runs/one/checkpoints/last.ckpt", weights_only=True)["state_dict"]
    after = torch.load("runs/whole/checkpoints/last.ckpt", weights_only=True)["state_dict"]
    assert before.keys() == after.keys()
    assert infer("-i", PHOTOS[0]) == 0
