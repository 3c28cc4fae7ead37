"""Training, measuring, writing and scoring by the command line, all on one small run."""

import csv
import io
import math
import os
import re
from pathlib import Path

import pandas as pd
import pytest
import torch

import seqforge
from seqforge.cli.main import main
from seqforge_tasks.char_generation import CharGeneration, GenerationOptions
from tests.cli.tiny import text, write_inputs

Output = pytest.CaptureFixture[str]
FIT = ["fit", "--config", "tiny.yaml", "--data.validation", "0.5", "--run"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, `runs/one`, trained in bfloat16."""
    made, before = tmp_path_factory.mktemp("characters"), Path.cwd()
    write_inputs(made)
    os.chdir(made)
    torch.set_num_threads(1)
    try:
        assert main([*FIT, "one", "--trainer.precision", "bf16-mixed"]) == 0
    finally:
        os.chdir(before)
    return made


@pytest.fixture(autouse=True)
def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")


def loaded(name: str = "one") -> CharGeneration:
    task = seqforge.load(Path("runs", name))
    assert isinstance(task, CharGeneration)
    return task


def infer(*words: str) -> int:
    return main(["infer", "runs/one", *words])


# -- writing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [[], ["--stream"]])
@pytest.mark.parametrize("echo", [True, False])
def test_what_is_written_is_what_python_writes(
    stream: list[str], echo: bool, capsys: Output
) -> None:
    words = ["--length=30", "--temperature=0.9", "--top-k=9", "--top-p=0.95", "--seed=4"]
    options = GenerationOptions(30, 0.9, 9, 0.95, seed=4, samples=3, echo=echo)

    assert infer("the ", *words, "--samples=3", *stream, *([] if echo else ["--no-echo"])) == 0

    expected = "\n---\n".join(loaded().generate("the ", options))
    assert capsys.readouterr().out == expected + "\n"


def test_a_stop_string_is_found_and_left_out(capsys: Output) -> None:
    whole = loaded().generate("the ", GenerationOptions(length=30, echo=False))[0]
    stop = whole[7:10]

    assert infer("the ", "--length", "30", "--no-echo", "--stop", stop) == 0
    assert capsys.readouterr().out == whole.partition(stop)[0] + "\n"


def test_a_refused_prompt(capsys: Output) -> None:
    assert infer("the Ä", "--unknown", "refuse") == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error: the character 'Ä' at place 4 was not in the training text" in captured.err


def test_replaced_characters_are_noted_on_the_side(capsys: Output) -> None:
    assert infer("the Ä", "--length", "4") == 0

    captured = capsys.readouterr()
    assert captured.out.startswith("the Ä")
    assert captured.err.startswith("note: 1 character of the input, first 'Ä', read as unknown")


def test_lone_surrogates_are_no_reason_to_stop(capsys: Output) -> None:
    assert infer("a\ud800b\udcff", "--length", "4") == 0
    assert capsys.readouterr().out.startswith("a\ufffdb\ufffd")


# -- scoring -------------------------------------------------------------------------------------


def test_scores_are_a_table(capsys: Output) -> None:
    Path("long.txt").write_text(text(90), encoding="utf-8")
    assert infer("the cat", "-i", "long.txt", "--score", "--prompt", "on ") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    task = loaded()
    assert list(rows[0])[2:] == [
        "log_probability",
        "nats_per_character",
        "bits_per_character",
        "perplexity",
    ]
    for row, scored in zip(rows, ["the cat", text(90)], strict=True):
        assert int(row["characters"]) == len(scored)
        expected = task.score(scored, "on ").log_probability
        assert float(row["log_probability"]) == pytest.approx(expected, abs=1e-6)


def test_a_written_text_has_the_score_that_it_was_drawn_with(capsys: Output) -> None:
    options = GenerationOptions(length=60, temperature=1.0, echo=False)
    (written,) = loaded().generate("the ", options)
    assert infer(written, "--score", "--prompt", "the ") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))

    model = loaded().language_model
    token, state = model.begin("the ")
    step, total = model.stepper(), 0.0
    with torch.no_grad():
        for number in model.tokens(written):
            log_probs, state, _ = step(token, state)
            total += float(log_probs[0, number])
            token = number[None]
    assert float(row["log_probability"]) == pytest.approx(total, abs=1e-4)


# -- engines -------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["onnx", "int8"])
def test_an_engine_writes_and_scores(engine: str, capsys: Output) -> None:
    options = GenerationOptions(length=30)
    assert infer("the ", "--length=30", "--engine", engine) == 0
    (written,) = loaded().generate("the ", options)
    if engine == "onnx":
        assert capsys.readouterr() == (written + "\n", "")
    else:  # it may choose another character where two are about as likely
        assert len(capsys.readouterr().out) == len(written) + 1

    assert infer(written, "--score", "--engine", engine) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    expected = loaded().score(written).nats_per_unit
    found = float(row["nats_per_character"])
    assert found == pytest.approx(expected, abs=1e-5 if engine == "onnx" else 0.005)


def test_a_misspelt_engine(capsys: Output) -> None:
    assert infer("the ", "--engine", "int-8") == 2

    error = capsys.readouterr().err
    assert "int-8" in error
    assert "int8" in error.replace("int-8", "")
    assert len(error.strip().splitlines()) <= 5


# -- precision -----------------------------------------------------------------------------------


def test_a_network_trained_in_bfloat16_answers_in_float32() -> None:
    task = loaded()
    log_probs, state, _ = task.language_model.stepper()(torch.tensor([1]), task.start(1))

    assert {parameter.dtype for parameter in task.parameters()} == {torch.float32}
    assert log_probs.dtype == state.layers[0].hidden.dtype == torch.float32


# -- measures ------------------------------------------------------------------------------------


def _losses(names: list[str]) -> list[str]:
    return [name for name in names if name.startswith("val/") and name.endswith("loss")]


def test_every_loaders_loss_is_logged_in_all_units(capsys: Output) -> None:
    history = pd.read_csv("runs/one/logs/metrics.csv").dropna(subset=["val/loss"])
    losses = _losses(list(map(str, history)))
    assert "val/loss" in losses
    for name in losses:
        stem, nats = name.removesuffix("loss"), history[name]
        assert history[f"{stem}bits_per_character"].to_numpy() == pytest.approx(nats / math.log(2))
        assert history[f"{stem}perplexity"].to_numpy() == pytest.approx(nats.map(math.exp))
    saved = torch.load("runs/one/checkpoints/last.ckpt", weights_only=True)["metrics"]
    assert saved.keys() >= {"val/loss", "val/bits_per_character", "val/perplexity"}


def test_an_epochs_line_names_a_loss_once_and_validate_shows_all(capsys: Output) -> None:
    assert main([*FIT, "two"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("Epoch:"))
    assert " val/loss: " in line
    assert "perplexity" not in line
    assert "bits" not in line

    words = ["validate", "--config", "runs/two/config.yaml", "--ckpt_path", "runs/two"]
    assert main(words) == 0
    shown = dict(re.findall(r"(val/\S+) +│ +(\S+)", capsys.readouterr().out))
    losses = _losses(list(shown))
    assert "val/loss" in losses
    for name in losses:
        stem, nats = name.removesuffix("loss"), float(shown[name])
        bits, perplexity = shown[f"{stem}bits_per_character"], shown[f"{stem}perplexity"]
        assert float(bits) == pytest.approx(nats / math.log(2), rel=1e-4)
        assert float(perplexity) == pytest.approx(math.exp(nats), rel=1e-4)


def test_measures_are_there_again_when_a_run_goes_on() -> None:
    words = [*FIT, "three", "--trainer.check_val_every_n_epoch", "2", "--trainer.max_epochs"]
    checkpoint = Path("runs/three/checkpoints/last.ckpt")
    assert main([*words, "2"]) == 0
    before = torch.load(checkpoint, weights_only=True)["metrics"]
    assert main([*words, "3"]) == 0  # its one epoch is not validated
    after = torch.load(checkpoint, weights_only=True)["metrics"]

    for name in ("val/loss", "val/bits_per_character", "val/perplexity"):
        assert after[name] == before[name]
    assert after["train/loss"] != before["train/loss"]
