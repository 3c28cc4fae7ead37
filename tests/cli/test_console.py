"""What stands on the screen: in a terminal and off it."""

import io
import math
import os
import re
import select
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytorch_lightning as pl
from rich.console import Console as RichConsole

from seqforge.cli.console import Console, duration
from seqforge.cli.runs import Run
from seqforge.task import Figure, Preview, Table, Text
from tests.cli.tiny import write_inputs

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def trainer(**values: Any) -> pl.Trainer:
    defaults = {"current_epoch": 1, "global_step": 7, "lightning_module": pl.LightningModule()}
    return cast("pl.Trainer", SimpleNamespace(**defaults | values))


def console(quiet: bool = False) -> tuple[Console, io.StringIO]:
    """Return a console of 80 columns that writes into a string."""
    stream = io.StringIO()
    made = Console()
    made._out = RichConsole(file=stream, width=80, highlight=False)
    made.quiet = quiet
    made.start(Run(Path("runs/one")))
    return made, stream


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_previews_are_shown_as_they_are() -> None:
    shown, stream = console()
    previews: list[Preview] = [
        Text("a [bold]sample[/bold]\nwith \x1b[31mcolour", title="one [2]"),
        Table(("a", "b"), [("[x]", 1)], title="[t]"),
        Figure(cast("Any", None), title="curve"),
    ]

    shown.show_previews(previews, trainer())

    out = stream.getvalue()
    assert out.startswith("Epoch: 1   step: 7   batch loss: ")
    assert "one [2] · epoch 1, step 7" in out
    assert "a [bold]sample[/bold]" in out
    assert "\x1b" not in out
    assert "[x]" in out
    assert "[t]" in out
    assert "curve: runs/one/samples" in out


def test_other_processes_say_nothing() -> None:
    shown, stream = console(quiet=True)

    shown.say("words")
    shown.show_previews([Text("words")], trainer())
    shown.stopped("words", None, "words")

    assert stream.getvalue() == ""


def test_a_run_without_a_fixed_length() -> None:
    shown, stream = console()
    values = {
        "train_dataloader": None,
        "num_training_batches": math.inf,
        "precision": "32-true",
        "world_size": 1,
    }

    shown.on_train_start(trainer(max_epochs=-1, max_steps=-1, **values), pl.LightningModule())
    shown.on_train_start(trainer(max_epochs=-1, max_steps=9, **values), pl.LightningModule())

    assert "batches: inf an epoch   epochs: unlimited" in stream.getvalue()
    assert "batches: inf an epoch   steps: 9" in stream.getvalue()


def test_a_path_with_spaces_can_be_copied(tmp_path: Path) -> None:
    shown, stream = console()
    folder = tmp_path / "my run"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "last.ckpt").touch()
    shown.start(Run(folder))
    checkpointer = SimpleNamespace(folder=lambda _: folder / "checkpoints", best_score=None)

    shown.finished(trainer(early_stopping_callback=None), cast("Any", checkpointer))

    assert f"try: seqforge infer '{folder}' --help\n" in stream.getvalue()


def _in_a_terminal(argv: list[str], folder: Path, key: bytes = b"") -> tuple[int, str]:
    """Run a command in a pseudo-terminal; type a key once the bar shows a speed."""
    import pty

    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "OMP_NUM_THREADS": "1"}
        os.execve(sys.executable, [sys.executable, "-m", "seqforge", *argv], environment)
    seen = b""
    while select.select([terminal], [], [], 120)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how a pseudo-terminal says that the other side is closed
            break
        seen += part
        if key and b"tokens/s" in seen:
            os.write(terminal, key)
            key = b""
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), seen.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of forkpty.*:DeprecationWarning")
@pytest.mark.parametrize(("key", "code"), [(b"", 0), (b"\x03", 130)])
def test_in_a_terminal(tmp_path: Path, key: bytes, code: int) -> None:
    write_inputs(tmp_path)
    epochs = "2" if not key else "500"
    argv = ["fit", "--config", "tiny.yaml", "--trainer.max_epochs", epochs, "--run", "one"]

    status, output = _in_a_terminal(argv, tmp_path, key)

    assert status == code
    assert "Traceback" not in output
    # The cursor is hidden while the bar runs, and is there again in the end.
    assert output.rfind("\x1b[?25h") > output.rfind("\x1b[?25l") > 0
    lines = [line for line in re.split(r"[\r\n]+", ESCAPE.sub("", output)) if line]
    bars = [line for line in lines if re.match(r"epoch \d+ ━", line)]
    assert any(re.search(r"27 loss \d\.\d{3} [\d,]+ tokens/s", bar) for bar in bars)
    assert max(len(bar) for bar in bars) <= 80
    if not key:
        assert sum(line.startswith("Epoch: 0 ") for line in lines) == 1
        assert lines[-1].startswith("try: seqforge infer runs/one")
    else:
        assert lines[-3:-1] == ["stopped by SIGINT", "checkpoint: runs/one/checkpoints/last.ckpt"]
