"""Runs that go on, and runs of several processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from seqforge.cli.main import main
from tests.cli.tiny import saved, write_inputs

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


# -- going on ----------------------------------------------------------------------------------


def test_a_finished_run_says_so_and_can_be_extended(capsys: Output) -> None:
    assert fit("--run", "one") == 0
    assert fit("--run", "one") == 0
    assert "has reached its target: epochs: 1, steps: 27" in capsys.readouterr().out
    assert not Path("runs/one/config-2.yaml").exists()

    assert fit("--resume", "runs/one", "--trainer.max_epochs", "2") == 0
    assert "going on with run 'one'" in capsys.readouterr().out
    assert saved(Path("runs/one/config-2.yaml"))["trainer"]["max_epochs"] == 2
    last = Path("runs/one/checkpoints/last.ckpt")
    assert torch.load(last, weights_only=True)["global_step"] == 54

    assert fit("--resume", str(last), "--trainer.max_epochs", "3") == 0
    assert torch.load(last, weights_only=True)["global_step"] == 81


def test_a_run_stopped_early_is_finished(capsys: Output) -> None:
    options = ["--run", "one", "--early_stopping.patience", "1", "--trainer.max_epochs", "9"]
    options += ["--model.optimizer.lr", "1e-9", "--early_stopping.min_delta", "1"]
    assert fit(*options) == 0
    assert "stopped early" in capsys.readouterr().out

    assert fit(*options) == 0
    assert "has reached its target" in capsys.readouterr().out


def test_resume_auto_starts_anew_where_there_is_nothing(capsys: Output) -> None:
    assert fit("--resume", "auto") == 0
    assert "no unfinished run of this configuration: starting a new" in capsys.readouterr().out

    next(Path("runs").glob("*/finished")).unlink()
    assert fit("--resume", "auto", "--data.seq_len", "9") == 0
    assert "differs in data.init_args.seq_len" in " ".join(capsys.readouterr().out.split())
    assert len(list(Path("runs").glob("*/config.yaml"))) == 2


def test_resuming_under_another_configuration_is_refused(capsys: Output) -> None:
    assert fit("--run", "one") == 0
    assert fit("--run", "one", "--data.seq_len", "9", "--trainer.max_epochs", "2") == 2
    assert "data.init_args.seq_len is 9, but run 'one' was started with 10" in mistake(capsys)


def test_resuming_in_another_text_is_refused_even_if_it_has_the_same_characters(
    capsys: Output,
) -> None:
    file = next(Path().glob("*.txt"))
    text = file.read_text(encoding="utf-8")
    assert fit("--run", "one") == 0
    file.write_text(text[::-1], encoding="utf-8")

    assert fit("--run", "one", "--trainer.max_epochs", "2") == 2
    assert "not the one that the run was trained on" in mistake(capsys)
    file.write_text(text, encoding="utf-8")
    assert fit("--run", "one", "--trainer.max_epochs", "2") == 0


def test_checkpoints_that_no_run_can_go_on_from(capsys: Output) -> None:
    assert fit("--run", "one") == 0
    best, last = (Path(f"runs/one/checkpoints/{name}.ckpt") for name in ("best", "last"))

    assert fit("--resume", str(best)) == 2
    assert "did you mean: runs/one/checkpoints/last.ckpt" in mistake(capsys)
    assert fit("--ckpt_path", str(best)) == 2
    assert "did you mean: runs/one/checkpoints/last.ckpt" in mistake(capsys)

    last.write_bytes(last.read_bytes()[:1000])
    assert fit("--run", "one", "--trainer.max_epochs", "2") == 0
    assert "'runs/one/checkpoints/last.ckpt' is no checkpoint" in capsys.readouterr().out

    for file in (last, last.with_name("previous.ckpt")):
        file.write_bytes(file.read_bytes()[:1000])
    assert fit("--run", "one", "--trainer.max_epochs", "3") == 2
    message = mistake(capsys)
    assert "last.ckpt" in message.splitlines()[0]
    assert "'runs/one/checkpoints/best.ckpt' is still there" in message


# -- several processes -------------------------------------------------------------------------


@pytest.mark.distributed
@pytest.mark.parametrize("launcher", ["lightning", "torchrun"])
def test_two_processes_train_as_one(launcher: str, tmp_path: Path) -> None:
    options = ["--trainer.precision", "64-true", "--trainer.log_every_n_steps", "1"]
    assert fit("--run", "one", *options) == 0
    start = ["-m", "seqforge"]
    if launcher == "torchrun":
        # After --, or torchrun takes our --run for an abbreviation of an option of its own.
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
        start = [*torchrun, "-m", "--", "seqforge"]
    command = [sys.executable, *start, "fit", "--config", "tiny.yaml", *options]

    finished = subprocess.run(
        [*command, "--trainer.devices", "2", "--run", "two"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    assert finished.returncode == 0, finished.stderr
    assert "processes: 2" in finished.stdout
    for said_once in ("run: runs/two", "Epoch: 0 ", "sample · epoch 0", "finished", "try: "):
        assert finished.stdout.count(said_once) == 1
    assert {file.name for file in Path("runs").iterdir()} == {"cache", "one", "two"}
    one, two = (pd.read_csv(f"runs/{name}/logs/metrics.csv") for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two, rtol=1e-6, check_like=True)
    samples = [sorted(Path("runs", name, "samples").iterdir()) for name in ("one", "two")]
    assert [file.read_text() for file in samples[0]] == [file.read_text() for file in samples[1]]
