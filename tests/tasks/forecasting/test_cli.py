"""Training and forecasting by the command line, all on one small run."""

import io
import json
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import seqforge
from seqforge.cli.main import main
from seqforge_tasks.forecasting import Forecasting, ForecastingOptions
from tests.distributed import launches

ROOT = Path(__file__).parents[3]
DEFAULT = str(ROOT / "configs" / "forecasting.yaml")
Output = pytest.CaptureFixture[str]

CONFIG = """
model:
  encoder: {class_path: GRU, init_args: {hidden_size: 4}}
  task:
    class_path: Forecasting
    init_args:
      {mode: recursive, normalisation: last, conformal: true, levels: [50, 80], error: mae}
data:
  class_path: TimeSeries
  init_args: {path: sales.csv, context: 8, horizon: 4, batch_size: 16, known: [sale],
    calibration: 0.5, train: 0.6, validation: 0.3, test: 0.1}
trainer: {max_epochs: 2, accelerator: cpu, devices: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, `runs/one`."""
    made, before = tmp_path_factory.mktemp("forecasting"), Path.cwd()
    write(made)
    os.chdir(made)
    torch.set_num_threads(1)
    try:
        assert main(["fit", "--config", "small.yaml", "--run", "one"]) == 0
    finally:
        os.chdir(before)
    return made


@pytest.fixture(autouse=True)
def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")


def write(folder: Path) -> None:
    """Write a configuration, and sales of which promotions are known six days ahead."""
    chance, steps = np.random.default_rng(0), np.arange(146)
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=146)})
    frame["sale"] = (chance.random(146) < 0.3).astype(int)
    for name, level in (("north", 20), ("south", 300)):
        wave = np.sin(steps / 3) + frame["sale"] + 0.1 * chance.normal(size=146)
        frame[name] = np.where(steps < 140, level + level / 10 * wave, np.nan)
    frame.to_csv(folder / "sales.csv", index=False)
    (folder / "small.yaml").write_text(CONFIG, encoding="utf-8")


def loaded() -> Forecasting:
    task = seqforge.load(Path("runs/one"))
    assert isinstance(task, Forecasting)
    return task


def mistake(capsys: Output) -> str:
    """Return the message of a user's mistake as one line, having seen that it is short."""
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert len(message.splitlines()) <= 5
    assert "Traceback" not in message
    return " ".join(message.split())


# -- training ------------------------------------------------------------------------------------


def test_the_default_configuration_trains_without_a_file(capsys: Output) -> None:
    short = ["--trainer.max_epochs", "1", "--data.length", "900", "--trainer.accelerator", "cpu"]
    assert main(["fit", "--config", DEFAULT, "--run", "default", *short]) == 0
    names = [file.name for file in Path("runs/default").rglob("*") if file.is_file()]
    metrics = Path("runs/default/logs/metrics.csv").read_text(encoding="utf-8").splitlines()[0]

    assert [name for name in names if "forecast" in name and name.endswith(".png")]
    for name in ("mae", "mase", "crps", "coverage_80", "linear_mae", "seasonal_naive_mae"):
        assert f"val/{name}" in metrics
    capsys.readouterr()
    assert main(["infer", "runs/default", "1 2 3 4 5 6", "--levels", "80"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "step,forecast,forecast-lo-80,forecast-hi-80"
    assert len(lines) == 1 + 48


@pytest.mark.parametrize(
    "limit",
    [
        ["--trainer.fast_dev_run", "true"],
        ["--trainer.limit_val_batches", "1", "--trainer.limit_train_batches", "2"],
    ],
)
def test_limited_passes_leave_the_intervals_uncalibrated(limit: list[str], capsys: Output) -> None:
    assert main(["fit", "--config", "small.yaml", "--run", f"short{len(limit)}", *limit]) == 0
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    if len(limit) == 2:
        return  # nothing of it is kept
    task = seqforge.load(Path(f"runs/short{len(limit)}"))
    assert isinstance(task, Forecasting)
    assert not task.correction.calibrated


def test_a_full_pass_calibrates() -> None:
    assert loaded().correction.calibrated
    assert loaded().correction.corrections.all()


def test_data_that_never_could_are_refused_before_training(capsys: Output) -> None:
    few = ["--data.validation", "0.04", "--data.test", "0.2"]
    assert main(["fit", "--config", "small.yaml", "--run", "few", *few]) == 2
    told = mistake(capsys)
    assert re.search("of 80 % need 4 windows to be calibrated, and the data have [0-3] ", told)
    assert main(["fit", "--config", "small.yaml", "--run", "few", "--data.calibration", "0"]) == 2
    assert "the data have 0" in mistake(capsys)


@pytest.mark.timeout(240)
def test_a_run_that_was_killed_ends_with_the_same_weights(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "probe.py").write_text(launches.PROBE, encoding="utf-8")
    fit = [*launches.SEQFORGE, "fit", "--config", "small.yaml"]
    ended = launches.run(
        [*fit, "--resume", "auto"],
        tmp_path,
        launches.environment(tmp_path, "killed", "9 0 SIGKILL"),
        patience=110,
    )
    assert ended.code == -9, ended.err[-2000:]
    ended = launches.run(
        [*fit, "--resume", "auto"],
        tmp_path,
        launches.environment(tmp_path, "killed"),
        patience=110,
    )
    assert ended.code == 0, ended.err[-2000:]

    (run,) = (file.parent.name for file in (tmp_path / "runs").glob("*/config.yaml"))
    ours, theirs = launches.weights(tmp_path, run), launches.weights(Path.cwd(), "one")
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert value.equal(theirs[name]), name


# -- measuring -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["validate", "test"])
def test_measures_stand_beside_those_of_the_baselines(command: str, capsys: Output) -> None:
    words = ["--config", "small.yaml", "--ckpt_path", "runs/one"]
    assert main([command, *words]) == 0
    shown = capsys.readouterr().out

    assert re.search(r"network +seasonal naive +linear", shown)
    for title in ("MASE", "sMAPE %", "CRPS", "in 80 %"):
        assert title in shown
    prefix = "val" if command == "validate" else "test"
    assert f"{prefix}/mae" in shown


def test_predictions_are_written_for_each_window() -> None:
    assert main(["predict", "--config", "small.yaml", "--ckpt_path", "runs/one"]) == 0
    (file,) = Path("runs").rglob("predictions.jsonl")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    assert {row["series"] for row in rows} == {"north", "south"}
    assert [row["id"] for row in rows] == list(range(len(rows)))
    for row in rows:
        assert len(row["forecast"]) == len(row["lo-80"]) == len(row["truth"]) == 4
        assert all(low <= high for low, high in zip(row["lo-80"], row["hi-80"], strict=True))


# -- forecasting ---------------------------------------------------------------------------------


def test_a_file_is_forecast_further_than_in_training(capsys: Output) -> None:
    words = ["-i", "sales.csv", "--horizon", "6", "--levels", "50", "80"]
    words += ["--plot", "out.png", "--output", "forecast.csv"]
    assert main(["infer", "runs/one", *words]) == 0
    written = pd.read_csv("forecast.csv", parse_dates=["day"])
    options = ForecastingOptions(horizon=6, levels=[50.0, 80.0])
    expected = loaded().forecast(pd.read_csv("sales.csv", parse_dates=["day"]), options)

    assert Path("out.png").read_bytes().startswith(b"\x89PNG")
    assert list(written["day"]) == list(pd.date_range("2024-05-20", periods=6))
    assert list(written.columns[1:4]) == ["north", "north-lo-50", "north-hi-50"]
    pd.testing.assert_frame_equal(written, expected, rtol=1e-5, check_dtype=False)
    assert (written["north-lo-80"] <= written["north-lo-50"]).all()
    assert 10 < written["north"].min() < written["north"].max() < 30
    assert capsys.readouterr().err == ""


def test_new_series_come_from_standard_input(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.read_csv("sales.csv").rename(columns={"north": "west", "south": "east"})
    data = frame.to_csv(index=False).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert main(["infer", "runs/one", "-i", "-", "--no-intervals"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "day,west,east"
    assert len(lines) == 5


# -- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["--model.task.normalization", "last"], "did you mean: .*normalisation"),
        (["--model.task.mode", "recursiv"], "recursiv"),
        (["--model.task.head", "normal"], "normal"),
        (["--data.contxt", "9"], "did you mean: .*context"),
        (["--data.path", "sale.csv"], "did you mean: .*sales.csv"),
        (["--data.path", "small.yaml"], "small.yaml"),
        (["--data.known", "[sales]"], "did you mean: .*sale"),
        (["--data.past", "[sale]", "--data.known", "[]"], "past covariates"),
        (["--data.horizon", "200"], "horizon"),
        (["--data.split", "date"], "split"),
    ],
)
def test_mistakes_in_a_configuration(words: list[str], pattern: str, capsys: Output) -> None:
    before = sorted(Path("runs").iterdir())
    assert main(["fit", "--config", "small.yaml", *words]) == 2
    assert re.search(pattern, mistake(capsys))
    assert sorted(Path("runs").iterdir()) == before


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["-i", "sale.csv"], "did you mean: .*sales.csv"),
        (["-i", "small.yaml"], "small.yaml"),
        (["-i", "sales.csv", "--horizon", "9"], "sale.*2024-05-26"),
        (["-i", "sales.csv", "--levels", "90"], "90 %.*accepted: 50, 80"),
        (["-i", "sales.csv", "--horzion", "3"], "did you mean: --horizon"),
        (["-i", "sales.csv", "--plot", "absent/out.png"], "absent"),
        (["-i", "empty.csv"], "empty.csv"),
        (["1 2 3"], "numbers typed inline.*sale"),
    ],
)
def test_mistakes_in_what_is_to_be_forecast(words: list[str], pattern: str, capsys: Output) -> None:
    Path("empty.csv").touch()
    assert main(["infer", "runs/one", *words]) == 2
    assert re.search(pattern, mistake(capsys))


def test_help_explains_the_options(capsys: Output) -> None:
    assert main(["infer", "runs/one", "--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    for name in ("options of Forecasting", "--horizon INT", "--levels", "--plot STR"):
        assert name in words


def test_a_run_does_not_go_on_with_other_series(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(Path.cwd(), tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    frame = pd.read_csv("sales.csv")
    frame["north"] = frame["north"] + 1
    frame.to_csv("sales.csv", index=False)
    longer = ["--run", "one", "--trainer.max_epochs", "3"]

    assert main(["fit", "--config", "small.yaml", *longer]) == 2
    assert "not the one that the checkpoint was trained with" in mistake(capsys)
