"""Signals set a flag; a run that is stopped or killed goes on to the same weights."""

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from seqforge.cli.console import Console
from seqforge.cli.main import main
from seqforge.training.signals import SignalFlag
from tests.cli.tiny import weights, write_inputs

AtStep = Callable[[int, Callable[[], None]], None]
FIT = [
    "fit",
    "--config",
    "tiny.yaml",
    "--trainer.max_epochs",
    "2",
    "--model.encoder.dropout",
    "0.2",
]


@pytest.fixture(autouse=True)
def _inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    write_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> AtStep:
    """Do something once, right after an optimiser step."""
    original = Console.on_train_batch_end

    def arrange(step: int, action: Callable[[], None]) -> None:
        done: list[int] = []

        def hook(self: Console, trainer: Any, *rest: Any) -> None:
            if trainer.global_step == step and not done:
                done.append(step)
                action()
            original(self, trainer, *rest)

        monkeypatch.setattr(Console, "on_train_batch_end", hook)

    return arrange


def send(*numbers: signal.Signals) -> Callable[[], None]:
    def action() -> None:
        for number in numbers:
            os.kill(os.getpid(), number)

    return action


def printed_command(output: str) -> list[str]:
    return shlex.split(output.partition("to go on: ")[2].splitlines()[0])


# -- the flag ----------------------------------------------------------------------------------


def test_the_flag_catches_and_gives_back() -> None:
    flag, before = SignalFlag(), signal.getsignal(signal.SIGTERM)
    flag.install()
    flag.install()
    os.kill(os.getpid(), signal.SIGTERM)
    assert (flag.caught, flag.exit_code) == (signal.SIGTERM, 75)
    flag.remove()
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_second_interruption_is_not_waited_for() -> None:
    flag = SignalFlag()
    flag.install()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        assert flag.exit_code == 130
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        flag.remove()


def test_another_thread_installs_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=SignalFlag().install)
    thread.start()
    thread.join()

    assert signal.getsignal(signal.SIGTERM) is before


# -- runs in this process ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code", "options"),
    [
        (signal.SIGINT, 130, []),
        (signal.SIGTERM, 75, []),
        (signal.SIGUSR1, 75, ["--trainer.accumulate_grad_batches", "2"]),
        # An epoch of one step has no place inside it to stop at.
        (signal.SIGINT, 130, ["--trainer.limit_train_batches", "1", "--trainer.max_epochs", "8"]),
    ],
)
def test_a_stopped_run_goes_on_exactly(
    number: signal.Signals,
    code: int,
    options: list[str],
    at_step: AtStep,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = ["--trainer.default_root_dir", "my runs"]
    assert main([*FIT, *options, "--run", "whole"]) == 0
    at_step(5, send(number))
    assert main([*FIT, *options, *root, "--run", "in two"]) == code

    out = capsys.readouterr().out
    assert f"stopped by {number.name}\n" in out
    assert "checkpoint: my runs/in two/checkpoints/last.ckpt\n" in out
    state = torch.load("my runs/in two/checkpoints/last.ckpt", weights_only=True)
    assert state["global_step"] in (5, 6)

    command = printed_command(out)
    assert command[:2] == ["seqforge", "fit"]
    assert command[-2:] == ["--resume", "my runs/in two"]
    assert main(command[1:]) == 0
    whole, parts = Path("runs/whole"), Path("my runs/in two")
    last = "checkpoints/last.ckpt"
    assert weights(whole / last) == weights(parts / last)


def test_two_interruptions_end_a_run_at_once(
    at_step: AtStep, capsys: pytest.CaptureFixture[str]
) -> None:
    at_step(5, send(signal.SIGINT, signal.SIGINT))

    assert main([*FIT, "--run", "one"]) == 130

    captured = capsys.readouterr()
    assert "stopped by SIGINT" in captured.out
    assert "Traceback" not in captured.err
    # What had been saved before is what there is to go on from.
    state = torch.load("runs/one/checkpoints/last.ckpt", weights_only=True)
    assert state["global_step"] == 1


@pytest.mark.parametrize("stage", ["configure_model", "setup"])
def test_an_interruption_before_training(
    stage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from seqforge.training import SequenceModule

    def interrupt(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(SequenceModule, stage, interrupt)

    assert main([*FIT, "--run", "one"]) == 130

    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert not Path("runs/one").exists()


def test_an_interruption_of_a_validation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from seqforge.training import SequenceModule

    assert main([*FIT, "--run", "one"]) == 0

    def interrupt(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(SequenceModule, "on_validation_epoch_start", interrupt)
    assert main(["validate", "--config", "tiny.yaml", "--ckpt_path", "runs/one"]) == 130
    assert "Traceback" not in capsys.readouterr().err


# -- processes ---------------------------------------------------------------------------------


def start(*options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "seqforge", *FIT, "--trainer.max_epochs", "16", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(process: "subprocess.Popen[str]", pattern: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if re.search(pattern, line):
            return seen
    raise AssertionError(f"no {pattern!r} in {seen}")


def test_a_killed_run_goes_on_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    often = ["--checkpoint.every_steps", "7", "--samples.every_epochs", "0"]
    with start("--run", "killed", *often) as process:
        wait_for(process, "Epoch: 2 ")
        process.kill()
    assert process.returncode == -signal.SIGKILL

    long = ["--trainer.max_epochs", "16", *often]
    assert main([*FIT, *long, "--resume", "auto"]) == 0
    assert "going on with run 'killed'" in capsys.readouterr().out
    assert main([*FIT, *long, "--run", "whole"]) == 0
    whole, parts = (Path("runs", name, "checkpoints/last.ckpt") for name in ("whole", "killed"))
    assert weights(whole) == weights(parts)


@pytest.mark.parametrize("delay", [0.3, 1.5])
def test_an_interruption_at_start_up(delay: float) -> None:
    with start() as process:
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in output


@pytest.mark.distributed
def test_a_signal_to_one_of_two_processes_stops_both() -> None:
    with start("--trainer.devices", "2", "--run", "pair") as process:
        wait_for(process, "Epoch: 1 ")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 75
    assert output.count("stopped by SIGTERM") == 1
    assert Path("runs/pair/checkpoints/last.ckpt").is_file()
