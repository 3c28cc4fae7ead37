"""How a run can end before its time: interrupted, or refused by the trainer."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Sequence
from pathlib import Path

from pytorch_lightning.utilities.exceptions import SIGTERMException

from seqforge.discovery import PLUGINS_VARIABLE
from seqforge.errors import FAILURE, INTERRUPTED, RESUME_ME


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
