"""What overrides what: files, options, classes, arguments; and what prints the outcome."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import seqforge.cli.fit  # noqa: F401 - imported before any test, as it sets variables of libraries
from seqforge.cli.main import main

GOOD = "model: {task: CharGeneration}\ndata: {class_path: TextFile}\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def resolved(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Return the configuration that `fit --print_config` prints."""

    def run(*argv: str) -> dict[str, Any]:
        assert main(["fit", *argv, "--print_config"]) == 0
        found: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
        return found

    return run


def test_later_configurations_win(resolved: Callable[..., dict[str, Any]]) -> None:
    Path("one.yaml").write_text(f"{GOOD}trainer: {{max_epochs: 3, max_steps: 7}}", encoding="utf-8")
    Path("two.yaml").write_text("trainer: {max_epochs: 4}", encoding="utf-8")

    found = resolved("--config", "one.yaml", "--config", "two.yaml", "--data.seq_len", "9")

    assert found["trainer"]["max_epochs"] == 4
    assert found["trainer"]["max_steps"] == 7
    assert found["data"]["init_args"]["seq_len"] == 9


def test_what_is_printed_is_a_configuration(
    resolved: Callable[..., dict[str, Any]],
) -> None:
    Path("one.yaml").write_text(GOOD, encoding="utf-8")
    first = resolved("--config", "one.yaml", "--model.encoder", "GRU", "--trainer.max_epochs", "2")
    Path("two.yaml").write_text(yaml.safe_dump(first), encoding="utf-8")

    assert resolved("--config", "two.yaml") == first


def test_another_class_keeps_the_arguments_that_it_has(
    resolved: Callable[..., dict[str, Any]],
) -> None:
    chosen = "{class_path: LSTM, init_args: {hidden_size: 256, forget_bias: 2.0}}"
    text = f"model: {{task: CharGeneration, encoder: {chosen}}}\ndata: TextFile"
    Path("one.yaml").write_text(text, encoding="utf-8")

    found = resolved("--config", "one.yaml", "--model.encoder", "GRU")["model"]["encoder"]

    assert found["class_path"] == "seqforge.encoders.GRU"
    assert found["init_args"]["hidden_size"] == 256
    # GRU has no such argument: it is dropped without a word.
    assert "forget_bias" not in found["init_args"]


def test_the_short_forms_of_classes(resolved: Callable[..., dict[str, Any]]) -> None:
    text = "model: {task: CharGeneration, encoder: GRU, roles: {decoder: RNN}}\ndata: TextFile"
    Path("one.yaml").write_text(text, encoding="utf-8")

    found = resolved("--config", "one.yaml")["model"]

    assert found["encoder"]["class_path"] == "seqforge.encoders.GRU"
    assert found["roles"]["decoder"]["class_path"] == "seqforge.encoders.RNN"


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--help"]) == 0

    out = capsys.readouterr().out
    for option in ("--resume", "--run", "--model.encoder", "--data"):
        assert option in out


def test_help_of_a_class(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--model.encoder.help", "LSTM"]) == 0
    assert "--model.encoder.hidden_size" in capsys.readouterr().out


def test_another_optimizer_begins_with_its_own_arguments(
    resolved: Callable[..., dict[str, Any]],
) -> None:
    Path("one.yaml").write_text(GOOD, encoding="utf-8")
    default = resolved("--config", "one.yaml")["model"]["optimizer"]["init_args"]
    other = resolved("--config", "one.yaml", "--model.optimizer", "torch.optim.Adam")
    rate = resolved("--config", "one.yaml", "--model.optimizer.lr", "0.5")

    assert (default["lr"], default["weight_decay"]) == (0.002, 0.01)
    # Not that of AdamW, which Adam would add to the gradient.
    assert other["model"]["optimizer"]["init_args"]["weight_decay"] == 0
    assert rate["model"]["optimizer"]["init_args"] == default | {"lr": 0.5}


def test_an_optimizer_of_a_file_is_changed_on_the_command_line(
    resolved: Callable[..., dict[str, Any]],
) -> None:
    chosen = "model: {optimizer: {class_path: torch.optim.AdamW, init_args: {weight_decay: 0.3}}}"
    Path("one.yaml").write_text(GOOD, encoding="utf-8")
    Path("two.yaml").write_text(chosen, encoding="utf-8")
    files = ("--config", "one.yaml", "--config", "two.yaml")
    found = resolved(*files, "--model.optimizer.lr", "0.5")["model"]["optimizer"]["init_args"]

    assert (found["lr"], found["weight_decay"]) == (0.5, 0.3)
