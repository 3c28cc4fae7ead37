"""What the exit code is, and the command that goes on."""

import shlex
import signal
from pathlib import Path

import pytest
from pytorch_lightning import Trainer
from pytorch_lightning.utilities.exceptions import SIGTERMException

from seqforge.cli.endings import command, exit_code, is_trainers_own
from seqforge.discovery import PLUGINS_VARIABLE


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PLUGINS_VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["fit", "--config", "a.yaml"], "seqforge fit --config a.yaml --resume 'my runs/x y'"),
        (
            ["fit", "--resume", "auto", "--trainer.accelerator", "auto"],
            "--trainer.accelerator auto",
        ),
        (
            ["fit", "--resume=no", "--run=old", "--data.path", "a b.txt"],
            "fit --data.path 'a b.txt'",
        ),
        (["fit", "--run", "one", "--run_more", "$HOME"], "fit --run_more '$HOME' --resume"),
    ],
)
def test_the_command_to_go_on(argv: list[str], expected: str) -> None:
    line = command(argv, Path("my runs/x y"))

    assert expected in line
    words = shlex.split(line)
    assert words[-2:] == ["--resume", "my runs/x y"]
    assert words.count("--resume") == 1


def test_the_command_names_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLUGINS_VARIABLE, "mine,yours")

    assert command(["fit"]) == "seqforge --plugins mine,yours fit"


def _stopped_by(cause: BaseException) -> SystemExit:
    try:
        try:
            raise cause
        except BaseException:
            raise SystemExit(1)  # noqa: B904 - as Lightning does
    except SystemExit as stop:
        return stop


def test_exit_codes() -> None:
    assert exit_code(_stopped_by(KeyboardInterrupt()), "") == 130
    assert exit_code(SIGTERMException(), "") == 75
    assert exit_code(SystemExit(75), "SIGTERM") == 75
    assert exit_code(SystemExit(3), "") is None
    assert exit_code(_stopped_by(ValueError()), "") is None


def test_further_interruptions_work_again() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        exit_code(_stopped_by(KeyboardInterrupt()), "")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_whose_error_it_is() -> None:
    with pytest.raises(Exception, match="devices") as caught:
        Trainer(devices=0, accelerator="cpu", logger=False)
    assert is_trainers_own(caught.value)
    with pytest.raises(ValueError, match="invalid literal") as own:
        int("x")
    assert not is_trainers_own(own.value)
