"""`fit` and its siblings in this process: options, mistakes, what is written and what is said."""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from seqforge.cli.main import main
from tests.cli.tiny import saved, text, weights, write_inputs

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    write_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # a deterministic trainer sets it
    torch.set_num_threads(1)
    yield
    torch.use_deterministic_algorithms(False)


def fit(*options: str) -> int:
    return main(["fit", "--config", "tiny.yaml", *options])


def mistake(capsys: Output) -> str:
    """Return the message of a user's mistake: at most five lines, and no traceback."""
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert len(message.splitlines()) <= 5
    return message


# -- what is said and written ------------------------------------------------------------------


def test_a_run(capsys: Output) -> None:
    assert fit("--run", "one", "--trainer.max_epochs", "2") == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("CharGeneration   encoder: LSTM   hidden size: 8   layers: 1   par")
    assert lines[1].startswith("batches: 27 an epoch   epochs: 2   precision: ")
    assert lines[2].startswith(
        "text: 1,175 characters, 16 distinct   train: 1,116   validation: 59"
    )
    assert "cache: runs/cache/small-" in lines[2]
    assert lines[3] == "run: runs/one"
    epochs = [line for line in lines if re.match(r"Epoch: \d   batch loss: \d\.\d{3}   val", line)]
    assert [line.split()[1] for line in epochs] == ["0", "1"]
    assert [line for line in lines if "sample · epoch" in line and line.startswith("╭")]
    assert sum("finished" in line for line in lines) == 1
    assert lines[-1] == 'try: seqforge infer runs/one "The "'
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", "".join(lines))
    assert max(map(len, lines)) <= 80 or max(lines, key=len).startswith(
        ("Epoch", "batches", "Char", "text")
    )
    names = {file.name for file in Path("runs/one").iterdir()}
    assert names == {"checkpoints", "config.yaml", "finished", "logs", "samples"}
    assert len(list(Path("runs/one/samples").iterdir())) == 2
    assert "train/loss" in pd.read_csv("runs/one/logs/metrics.csv").columns


def test_the_saved_configuration_gives_the_same_run() -> None:
    assert fit("--run", "one", "--model.encoder.dropout", "0.2") == 0
    assert main(["fit", "--config", "runs/one/config.yaml", "--run", "two"]) == 0

    first, second = (Path("runs", name, "checkpoints/last.ckpt") for name in ("one", "two"))
    assert weights(first) == weights(second)
    assert saved(Path("runs/one/config.yaml")) == saved(Path("runs/two/config.yaml"))


def test_print_config_makes_no_run(capsys: Output) -> None:
    assert fit("--print_config") == 0

    assert "hidden_size: 8" in capsys.readouterr().out
    assert not Path("runs").exists()


def test_fast_dev_run_writes_nothing(capsys: Output, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))

    assert fit("--trainer.fast_dev_run", "true") == 0

    out = capsys.readouterr().out
    assert "nothing of it is kept" in out
    assert "try:" not in out
    assert sorted(tmp_path.rglob("*")) == before


def test_two_runs_of_one_second_have_folders_of_their_own() -> None:
    for _ in range(3):
        assert fit("--trainer.max_steps", "1", "--trainer.logger", "false") == 0

    assert len(list(Path("runs").glob("*/config.yaml"))) == 3


# -- the trainer's options ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        "--trainer.logger false",
        "--trainer.logger CSVLogger --trainer.logger.save_dir elsewhere",
        "--trainer.limit_val_batches 0",
        "--trainer.val_check_interval 5 --checkpoint.keep_best 3",
        "--trainer.check_val_every_n_epoch 2",
        "--trainer.accumulate_grad_batches 2 --model.ema 0.99",
        "--trainer.precision 64-true",
        "--trainer.precision 32-true --trainer.gradient_clip_val null",
        "--trainer.deterministic true --trainer.detect_anomaly true",
        "--trainer.overfit_batches 2",
        "--trainer.limit_train_batches 0.5",
        "--trainer.max_time 00:00:05:00",
        "--trainer.callbacks LearningRateMonitor",
        "--trainer.default_root_dir null",
        "--data.seq_len 1 --data.batch_size 300",
        "--data.validation 0",
        "--early_stopping.patience 2",
    ],
)
def test_options_of_the_trainer(options: str, capsys: Output) -> None:
    assert fit("--run", "one", *options.split()) == 0

    assert Path("runs/one/finished").exists()
    assert main(["infer", "runs/one", "the ", "--length", "4"]) == 0
    assert capsys.readouterr().err == ""
    kept = {file.name for file in Path("runs/one/checkpoints").iterdir()}
    assert ("best.ckpt" in kept) == (
        not any(word in options for word in ("limit_val_batches 0", "validation 0", "_epoch 2"))
    )


def test_the_best_three_checkpoints_are_kept() -> None:
    assert (
        fit("--run", "one", "--trainer.val_check_interval", "5", "--checkpoint.keep_best", "3") == 0
    )

    names = {file.name for file in Path("runs/one/checkpoints").iterdir()}
    assert len([name for name in names if name.startswith("epoch000-step")]) == 3
    assert {"best.ckpt", "last.ckpt"} < names


def test_steps_given_alone_are_not_cut_short_by_a_default_of_epochs(capsys: Output) -> None:
    config = Path("tiny.yaml")
    config.write_text(config.read_text().replace("max_epochs: 1, ", ""))

    options = ["--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "0"]
    assert fit("--run", "one", "--trainer.max_steps", "23", *options) == 0

    assert "steps: 23" in capsys.readouterr().out
    assert torch.load("runs/one/checkpoints/last.ckpt", weights_only=True)["global_step"] == 23


def test_limited_epochs_begin_at_the_beginning() -> None:
    limits = ["--trainer.limit_train_batches", "6", "--trainer.limit_val_batches", "2"]
    assert fit("--run", "one", *limits, "--trainer.max_epochs", "3") == 0

    metrics = pd.read_csv("runs/one/logs/metrics.csv")
    assert metrics["val/loss"].dropna().size == 3
    state = torch.load("runs/one/checkpoints/last.ckpt", weights_only=True)
    assert state["global_step"] == 18


def test_validation_and_samples_do_not_change_training() -> None:
    often = "--trainer.val_check_interval 4 --samples.every_steps 3"
    never = "--trainer.limit_val_batches 0 --samples.every_epochs 0"
    for name, options in (("often", often), ("never", never)):
        assert fit("--run", name, "--model.encoder.dropout", "0.3", *options.split()) == 0

    often, never = (f"runs/{name}/checkpoints/last.ckpt" for name in ("often", "never"))
    assert weights(Path(often)) == weights(Path(never))


def test_without_checkpoints(capsys: Output) -> None:
    assert fit("--run", "one", "--trainer.enable_checkpointing", "false") == 0
    assert "try:" not in capsys.readouterr().out
    assert not Path("runs/one/checkpoints").exists()


def test_samples_within_an_epoch(capsys: Output) -> None:
    options = ["--samples.every_steps", "10", "--samples.every_epochs", "0"]
    assert fit("--run", "one", *options) == 0

    out = capsys.readouterr().out
    assert re.findall(r"Epoch: 0   step: (\d+)   batch loss: \d\.\d{3}\n", out) == ["10", "20"]
    assert re.findall(r"sample · epoch 0, step (\d+)", out) == ["10", "20"]
    assert len(list(Path("runs/one/samples").iterdir())) == 2


# -- mistakes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"", (), "holds no text"),
        (b"caf\xe9 " * 100, (), r"byte 0xe9 at 3"),
        (b"hello", (), "4 characters is too short.*lanes.*seq_len of at most 3 with batch_size 1"),
        (None, ("--data.path", "smal.txt"), "there is no text file 'smal.txt'.*mean: small.txt"),
        (None, ("--data.path", "*.csv"), r"no file matches '\*\.csv'.*data\.path"),
        (None, ("--data.batch_size", "500"), "data.batch_size.*a batch_size of at most 111"),
        (None, ("--data.seq_len", "0"), "seq_len is 0.*data.seq_len"),
        (None, ("--data.validation", "1"), "validation is 1.0"),
        (None, ("--trainer.precision", "16-mixed"), "16-mixed.*bf16-mixed"),
        (None, ("--trainer.precision", "bf16-true"), "bf16-true.*bf16-mixed"),
        (None, ("--trainer.val_check_interval", "500"), "val_check_interval.*500"),
        (None, ("--trainer.limit_val_batches", "0.0001"), "limit_val_batches"),
        (
            None,
            ("--data.validation", "0", "--early_stopping.patience", "1"),
            "nothing is validated.*early_stopping.patience",
        ),
        (None, ("--trainer.default_root_dir", "small.txt"), "cannot make the run folder"),
        (None, ("--run", "../up"), "no name of a run"),
        (None, ("--resume", "nonsense"), "no run folder"),
        (None, ("--run", "one", "--resume", "runs/one"), "both --run one and --resume"),
        (None, ("--ckpt_path", "nowhere"), "no checkpoint 'nowhere'"),
    ],
)
def test_mistakes_leave_no_run_behind(
    content: bytes | None, options: tuple[str, ...], words: str, capsys: Output
) -> None:
    if content is not None:
        Path("small.txt").write_bytes(content)

    assert fit(*options) == 2

    assert re.search(words, " ".join(mistake(capsys).split()))
    assert {file.name for file in Path().glob("runs/*")} <= {"cache"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("windows", "one two three\r\nfour five six\r\n" * 60),
        ("line", "abcdefghij " * 200),
        ("same", "a" * 1000),
    ],
)
def test_odd_texts(name: str, content: str) -> None:
    Path("odd.txt").write_bytes(content.encode())

    assert fit("--run", name, "--data.path", "odd.txt") == 0

    state = torch.load(f"runs/{name}/checkpoints/last.ckpt", weights_only=True)
    assert "\r" not in state["seqforge"]["spec"]["vocabulary"]["characters"]


def test_a_loss_that_is_not_finite(capsys: Output) -> None:
    options = ["--model.optimizer.lr", "1e4", "--trainer.max_epochs", "3"]

    assert fit("--run", "one", *options, "--trainer.limit_val_batches", "0") == 1

    out = capsys.readouterr().out
    assert re.search(r"the loss is \S+ and its gradient \S+ at optimiser step \d+", out)
    assert "to go on: lower --model.optimizer.lr" in out


# -- validate, test and predict ----------------------------------------------------------------


def test_evaluation(capsys: Output) -> None:
    assert fit("--run", "one") == 0
    score = pd.read_csv("runs/one/logs/metrics.csv")["val/loss"].dropna().iloc[-1]
    capsys.readouterr()

    for path in ("runs/one", "runs/one/checkpoints/best.ckpt"):
        assert main(["validate", "--config", "runs/one/config.yaml", "--ckpt_path", path]) == 0
        assert re.search(rf"val/loss +│ {score:.6g}", capsys.readouterr().out)
    assert main(["test", "--config", "tiny.yaml", "--ckpt_path", "runs/one"]) == 0
    assert re.search(rf"test/loss +│ {score:.6g}", capsys.readouterr().out)
    assert main(["predict", "--config", "tiny.yaml", "--ckpt_path", "runs/one"]) == 0
    assert capsys.readouterr().out == "written: runs/predictions.jsonl\n"
    rows = pd.read_json("runs/predictions.jsonl", lines=True)
    assert rows["id"].tolist() == list(range(len(rows)))
    assert rows["characters"].sum() == len(text()) - int(0.95 * len(text())) - 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "validate needs a checkpoint"),
        (("--ckpt_path", "runs/two"), "no checkpoint 'runs/two'"),
        (("--ckpt_path", "small.txt"), "'small.txt' is no checkpoint"),
        (("--ckpt_path", "runs/one", "--model.encoder", "GRU"), "do not fit the configured netw"),
        (("--ckpt_path", "runs/one", "--model.encoder.hidden_size", "9"), "do not fit the config"),
        (("--ckpt_path", "runs/one", "--data.validation", "0"), "there is no data to validate"),
    ],
)
def test_mistakes_in_evaluation(options: tuple[str, ...], words: str, capsys: Output) -> None:
    assert fit("--run", "one", "--trainer.max_steps", "1") == 0

    assert main(["validate", "--config", "tiny.yaml", *options]) == 2

    assert words in mistake(capsys)


def test_a_checkpoint_is_measured_on_another_text(capsys: Output) -> None:
    Path("other.txt").write_text("other characters, quite " * 50)
    assert fit("--run", "one", "--trainer.max_steps", "1") == 0
    words = ["--ckpt_path", "runs/one", "--data.path", "other.txt"]

    assert main(["validate", "--config", "tiny.yaml", *words]) == 0

    assert "val/loss" in capsys.readouterr().out
