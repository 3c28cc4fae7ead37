"""What constructors refuse is told as a user's mistake; bugs and training keep their tracebacks."""

from collections.abc import Callable
from pathlib import Path

import pytest
import pytorch_lightning as pl

from seqforge import errors
from seqforge.cli.main import main
from seqforge.encoders import Encoder

Fails = Callable[..., list[str]]

TASK = "model: {task: CharGeneration}\n"
GOOD = f"{TASK}data: {{class_path: TextFile}}\n"

# name: (configuration, further arguments, what must appear in the message)
REFUSALS: dict[str, tuple[str, list[str], list[str]]] = {
    "encoder refuses": (
        f"{GOOD}model.encoder:\n  class_path: LSTM\n  init_args:\n    hidden_size: 0",
        [],
        ["hidden_size must be at least 1, got 0", "model.encoder.hidden_size (run.yaml:6)"],
    ),
    "data refuses": (
        f"{TASK}data:\n  class_path: TextFile\n  init_args:\n    validation: 2",
        [],
        ["validation is 2.0", "where: data.validation (run.yaml:5)", "share of the text"],
    ),
    "no text file": (
        f"{TASK}data: {{class_path: TextFile, init_args: {{path: run.yam}}}}",
        [],
        ["no text file 'run.yam'", "data.path (run.yaml:2)", "did you mean: run.yaml"],
    ),
    "optimizer refuses": (
        GOOD,
        ["--model.optimizer=Adam", "--model.optimizer.lr=-1"],
        ["Adam refuses: Invalid learning rate: -1.0", "where: model.optimizer.lr (command line)"],
    ),
    "schedule refuses": (
        GOOD.replace("}", ", schedule: {class_path: Cosine, init_args: {warmup: 3}}}", 1),
        [],
        ["Cosine refuses: warmup must lie", "model.schedule.warmup (run.yaml:1)"],
    ),
    "trainer refuses": (
        GOOD,
        ["--trainer.accelerator", "gpuu"],
        ["the trainer refuses", "'gpuu'", "where: trainer.accelerator (command line)"],
    ),
    "trainer refuses the kind": (
        GOOD,
        ["--trainer.devices", "x"],
        ["the trainer refuses", "where: trainer.devices (command line)"],
    ),
    "task refuses": (
        GOOD,
        ["--model.task.embedding_size", "0"],
        ["embedding_size is 0", "where: model.task.embedding_size (command line)", "at least 1"],
    ),
    "task refuses, file": (
        f"model:\n  task:\n    class_path: CharGeneration\n    init_args:\n"
        f"      embedding_size: -3\n{GOOD.removeprefix(TASK)}",
        [],
        ["embedding_size is -3", "where: model.task.embedding_size (run.yaml:5)"],
    ),
    "task refuses a length": (
        GOOD,
        ["--model.task.sample_length", "-1"],
        ["sample_length is -1", "where: model.task.sample_length (command line)", "at least 0"],
    ),
    "task refuses a temperature": (
        GOOD,
        ["--model.task.sample_temperature", "-0.5"],
        ["sample_temperature is -0.5", "where: model.task.sample_temperature (command line)"],
    ),
    "null in an argument of data": (
        GOOD,
        ["--data.seq_len", "null"],
        ["data.seq_len cannot be null", "where: data.seq_len (command line)", "a whole number"],
    ),
    "null in an argument of an encoder, file": (
        f"{GOOD}model.encoder:\n  class_path: LSTM\n  init_args:\n    hidden_size: null",
        [],
        ["cannot be null", "where: model.encoder.hidden_size (run.yaml:6)", "a whole number"],
    ),
    "null in an argument of a task": (
        GOOD,
        ["--model.task.embedding_size", "null"],
        ["model.task.embedding_size cannot be null", "to do: give a value of the accepted kind"],
    ),
    "core refuses": (GOOD, ["--model.ema=2"], ["in [0, 1), not 2.0", "model.ema (command line)"]),
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_refusal_is_explained(name: str, fails: Fails) -> None:
    text, argv, expected = REFUSALS[name]

    lines = fails(text, *argv)

    for part in expected:
        assert any(part in line for line in lines), (part, lines)


class NeedsExtra(pl.LightningDataModule):
    def __init__(self, seq_len: int = 3) -> None:
        super().__init__()
        errors.require("package_that_is_absent", "extra")


class NeedsAWidth(Encoder):
    def __init__(self, input_size: int, width: int) -> None:
        super().__init__()
        raise ValueError(f"width must be odd, not {width}")

    def start(self, batch_size: int) -> None:
        return None


class Buggy(pl.Callback):
    def __init__(self) -> None:
        raise ZeroDivisionError("a bug")


class FailsInTraining(pl.Callback):
    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        raise ValueError("a mistake of the training itself")


def test_a_missing_extra(fails: Fails) -> None:
    lines = fails(TASK, "--data", "NeedsExtra")

    assert "'package_that_is_absent', which this needs, is not installed" in lines[0]
    assert lines[-1] == '  to do: pip install "seqforge-lightning[extra]"'


def test_a_required_argument(fails: Fails) -> None:
    lines = fails(GOOD, "--model.encoder", "NeedsAWidth")

    assert lines[0] == "error: NeedsAWidth needs 'width'"
    assert "  accepted: a whole number" in lines


def test_a_plain_error_of_an_encoder(fails: Fails) -> None:
    lines = fails(GOOD, "--model.encoder", "NeedsAWidth", "--model.encoder.width", "2")

    assert lines == [
        "error: NeedsAWidth refuses: width must be odd, not 2",
        "  where: model.encoder.width (command line)",
        "  to do: change model.encoder.width",
    ]


def test_a_bug_in_a_constructor_keeps_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(GOOD, encoding="utf-8")

    with pytest.raises(Exception, match="a bug"):
        main(["fit", "--config", "run.yaml", "--trainer.callbacks", "Buggy"])


@pytest.mark.filterwarnings("ignore")
def test_errors_of_the_training_keep_their_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(GOOD, encoding="utf-8")
    small = ["--model.encoder=RNN", "--model.encoder.hidden_size=4", "--trainer.logger=false"]

    with pytest.raises(ValueError, match="a mistake of the training itself"):
        main(["fit", "--config", "run.yaml", "--trainer.callbacks", "FailsInTraining", *small])
