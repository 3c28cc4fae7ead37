"""How a run can end before its time: interrupted, refused by the trainer or its checkpoint."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from pytorch_lightning.utilities.exceptions import SIGTERMException

from seqforge.checkpoint import one_line
from seqforge.discovery import PLUGINS_VARIABLE
from seqforge.errors import FAILURE, INTERRUPTED, RESUME_ME, UserError


def exit_code(stop: SystemExit, caught: str) -> int | None:
    """Return the exit code for what stopped the trainer.

    Args:
        stop: What the trainer raised.
        caught: Name of the signal that stopped training at a place from which it can go on.

    Returns:
        None if it was no signal and no Ctrl-C.
    """
    # Lightning exits with 1 after a Ctrl-C, having switched further ones off.
    if isinstance(stop.__context__, KeyboardInterrupt):
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return INTERRUPTED
    if isinstance(stop, SIGTERMException):
        return RESUME_ME
    if caught:
        return stop.code if isinstance(stop.code, int) else FAILURE
    return None


def command(argv: Sequence[str], folder: Path | None = None) -> str:
    """Return the command that goes on with a run, ready for a shell.

    Args:
        argv: The subcommand and its arguments.
        folder: The run's folder; None: a command that starts anew.
    """
    plugins = os.environ.get(PLUGINS_VARIABLE, "")
    words = ["seqforge", *(["--plugins", plugins] if plugins else [])]
    given = iter(argv)
    for word in given:
        option, equals, _ = word.partition("=")
        if option not in ("--resume", "--run"):
            words.append(word)
        elif not equals:
            next(given, None)
    return shlex.join([*words, *(["--resume", str(folder)] if folder is not None else [])])


def is_trainers_own(error: BaseException) -> bool:
    """Return whether an error was raised by Lightning itself, not by what it called."""
    trace, name = error.__traceback__, ""
    while trace is not None:
        name, trace = str(trace.tb_frame.f_globals.get("__name__")), trace.tb_next
    return name.partition(".")[0] in ("pytorch_lightning", "lightning_fabric")


RESTORERS = {
    "pytorch_lightning.": ("_restore_modules_and_callbacks", "restore_training_state"),
    "seqforge.": ("restore", "_take_up", "_own_rows", "set_random_state"),
}
"""The functions, by package, under which a checkpoint's parts are put back; some run late."""

DAMAGE = (LookupError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError)
"""What putting back something else than what was saved raises."""


def is_restoring(error: BaseException) -> bool:
    """Return whether an error was raised while a checkpoint's parts were put back."""
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        for package, functions in RESTORERS.items():
            if module.startswith(package) and trace.tb_frame.f_code.co_name in functions:
                return True
        trace = trace.tb_next
    return False


@contextmanager
def restoring(file: str, everything: bool = False) -> Iterator[None]:
    """Name the checkpoint in what its contents make the functions raise that put them back.

    Args:
        file: The checkpoint.
        everything: Whether all that is done in the block is to read the checkpoint.

    Raises:
        UserError: The checkpoint is malformed, though it could be read.
    """
    try:
        yield
    except DAMAGE as error:
        memory = isinstance(error, torch.OutOfMemoryError)
        if memory or not file or not (everything or is_restoring(error)):
            raise
        raise UserError(
            f"'{file}' cannot be restored: {one_line(error)}",
            todo="use another checkpoint of the run: beside last.ckpt lies previous.ckpt",
        ) from error


def with_own_configuration(error: UserError, file: str) -> UserError:
    """Name the configuration of a checkpoint's run in an error about what does not fit it.

    Args:
        error: What was raised.
        file: The checkpoint.
    """
    config = Path(file).parent.parent / "config.yaml"
    if is_restoring(error) and config.is_file():
        error.todo = f"give the configuration of the checkpoint's run: --config {config}"
    return error
