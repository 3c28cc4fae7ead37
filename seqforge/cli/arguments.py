"""What the commands that take a checkpoint share: their parser, its errors, the device."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path
from typing import NoReturn

import torch

from seqforge.errors import UserError, closest_match, closest_path
from seqforge.task import Task
from seqforge.text.sources import STDIN


class Parser(argparse.ArgumentParser):
    """argparse's parser with our errors.

    Attributes:
        todo: What a message says to do.
    """

    todo = "see --help"

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            UserError: Always.
        """
        words = message.split()
        given = next((re.split("[=:/]", word)[0] for word in words if word.startswith("--")), "")
        options = [name for action in self._actions for name in action.option_strings]
        unknown = given and given not in options
        raise UserError(
            message,
            where="command line",
            accepted=options if unknown else (),
            closest=closest_match(given, options) if unknown else "",
            todo=self.todo,
        )


def checkpoint_path(argv: Sequence[str], usage: str) -> str | None:
    """Return the first positional argument; None if only help is wanted.

    Args:
        argv: The arguments after the command.
        usage: A right command line, for the message.

    Raises:
        UserError: An option stands where the checkpoint should.
    """
    if argv and not argv[0].startswith("-"):
        return argv[0]
    if not argv or argv[0] in ("-h", "--help"):
        return None
    raise UserError(
        f"'{argv[0]}' stands where the checkpoint should",
        where="command line",
        todo=f"the checkpoint comes first: {usage}",
    )


def require_files(files: Sequence[str], folders: bool = False) -> None:
    """Refuse files that do not exist, and folders; `-` is standard input.

    Args:
        files: What was given by -i.
        folders: Whether folders, and patterns that the shell has left as they are, are right too.

    Raises:
        UserError: Names the first one, and what comes near.
    """
    for file in files:
        path = Path(file)
        if folders and (path.is_dir() or has_magic(file)):
            continue
        if path.is_dir():
            raise UserError(
                f"'{file}' is a folder",
                where="-i",
                todo="name a file in it, or several",
            )
        if path != STDIN and not path.exists():
            raise UserError(
                f"there is no file '{file}'",
                where="-i",
                closest=closest_path(file),
                todo="give a file that exists, `-` for standard input, or type the data itself",
            )


def decodable(text: str) -> str:
    """Replace bytes of the command line that are not UTF-8: they arrive as surrogates."""
    text = re.sub("[\ud800-\udc7f\udd00-\udfff]", "\ufffd", text)  # of no byte: from other systems
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def move(task: Task, device: str) -> None:
    """Put a task on a device.

    Raises:
        UserError: It cannot be used here.
    """
    try:
        task.to(device)
    except (RuntimeError, AssertionError) as error:
        kinds = {"cpu": True, "cuda": torch.cuda.is_available()}
        kinds["mps"] = torch.backends.mps.is_available()
        raise UserError(
            f"the device '{device}' cannot be used here: {str(error).splitlines()[0]}",
            where="--device",
            accepted=[name for name, available in kinds.items() if available],
            todo="leave --device out to run on the processor",
        ) from error
