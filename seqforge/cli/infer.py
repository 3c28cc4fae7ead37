"""`seqforge infer`: any task, from its checkpoint alone."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import NoReturn, TextIO

from seqforge.cli.quiet import quiet_libraries

quiet_libraries()

import torch  # noqa: E402 - the libraries are quiet first

from seqforge import checkpoint as checkpoints  # noqa: E402
from seqforge.cli.options import add_options, read_options  # noqa: E402
from seqforge.errors import OK, UserError, closest_match  # noqa: E402
from seqforge.registry import load as load_registry  # noqa: E402
from seqforge.task import Figure, Output, Piece, Source, Table, Task, Text  # noqa: E402
from seqforge.text.sources import STDIN  # noqa: E402


def run(argv: list[str]) -> int:
    """Answer inline inputs, files or standard input with a checkpoint.

    Args:
        argv: The checkpoint, inline inputs and options.

    Returns:
        The exit code.

    Raises:
        UserError: No such checkpoint, input or option.
    """
    path = _checkpoint_path(argv)
    if path is None:
        _parser(None).print_help()
        return OK
    load_registry(require_modules=True)
    task = checkpoints.load(path)
    parser = _parser(task)
    # Intermixed: options may stand before, between and after inline inputs.
    arguments = parser.parse_intermixed_args(argv)
    _move(task, arguments.device)
    inputs = _inputs(arguments.inputs, arguments.input or [])
    outputs = task.infer(inputs, read_options(task.options, arguments))
    # What is wrong with an option or input shows before an old output file is overwritten.
    outputs = chain(list(islice(outputs, 1)), outputs)
    with ExitStack() as stack:
        stream: TextIO = sys.stdout
        if arguments.output is not None:
            stream = stack.enter_context(_open(Path(arguments.output)))
        write(outputs, stream, Path(arguments.output or "figure"))
    return OK


def write(outputs: Iterable[Output], stream: TextIO, path: Path) -> None:
    """Write what a task answers: texts as lines, fragments as they come, tables as CSV.

    Args:
        outputs: The task's answers.
        stream: Where text goes.
        path: Figures are saved beside it, numbered from the second on, as PNG.
    """
    figures = 0
    for output in outputs:
        if isinstance(output, Piece):
            stream.write(output.body + ("\n" if output.last else ""))
        elif isinstance(output, Figure):
            figures += 1
            suffix = "" if figures == 1 else f"-{figures}"
            output.figure.savefig(path.with_name(f"{path.stem}{suffix}.png"), dpi=150)
        elif isinstance(output, Table):
            _write_table(output, stream)
        elif isinstance(output, Text):
            stream.write(output.body + "\n")
        stream.flush()


def _move(task: Task, device: str) -> None:
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


def _write_table(table: Table, stream: TextIO) -> None:
    import csv

    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)


def _inputs(inline: Sequence[str], files: Sequence[str]) -> list[Source]:
    for file in files:
        path = Path(file)
        if path != STDIN and not path.exists():
            siblings = [str(each) for each in path.parent.glob("*")] if path.parent.is_dir() else []
            raise UserError(
                f"there is no file '{file}'",
                where="-i",
                closest=closest_match(file, siblings),
                todo="give a file that exists, `-` for standard input, or type the data itself",
            )
    if inline or files:
        return [*map(_decodable, inline), *[Path(file) for file in files]]
    return [STDIN] if sys.stdin is not None and not sys.stdin.isatty() else [""]


def _decodable(text: str) -> str:
    # Bytes of the command line that are not UTF-8 arrive as surrogates, which cannot be written.
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _open(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write '{path}': {error.strerror}",
            where="--output",
            todo="give a file in a folder that exists and can be written",
        ) from error


def _checkpoint_path(argv: Sequence[str]) -> str | None:
    """Return the first positional argument; None if only help is wanted."""
    if argv and not argv[0].startswith("-"):
        return argv[0]
    if not argv or argv[0] in ("-h", "--help"):
        return None
    raise UserError(
        f"'{argv[0]}' stands where the checkpoint should",
        where="command line",
        todo='the checkpoint comes first: seqforge infer runs/NAME "some input" [OPTIONS]',
    )


class _Parser(argparse.ArgumentParser):
    """argparse's parser with our errors."""

    names: Callable[[], list[str]] = list

    def error(self, message: str) -> NoReturn:
        words = message.split()
        given = next((re.split("[=:/]", word)[0] for word in words if word.startswith("--")), "")
        options = [name for action in self._actions for name in action.option_strings]
        unknown = given and given not in options
        raise UserError(
            message,
            where="command line",
            accepted=options if unknown else (),
            closest=closest_match(given, options) if unknown else "",
            todo="see `seqforge infer CHECKPOINT --help`; data that begins with - comes after --",
        )


def _parser(task: Task | None) -> argparse.ArgumentParser:
    name = type(task).__name__ if task is not None else ""
    parser = _Parser(
        prog="seqforge infer",
        description=f"Inference with a {name} checkpoint."
        if name
        else "Inference from a checkpoint alone. `seqforge infer CHECKPOINT --help` shows the "
        "options of that checkpoint's task.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("checkpoint", help="a .ckpt file or a run folder")
    parser.add_argument("inputs", nargs="*", help="data typed inline")
    parser.add_argument(
        "-i", "--input", nargs="+", metavar="FILE", help="files to read; `-` is standard input"
    )
    parser.add_argument("--output", metavar="FILE", help="write here instead of to the terminal")
    parser.add_argument("--device", default="cpu", help="where the network runs")
    if task is not None:
        add_options(parser, task.options, type(task).__name__)
    return parser
