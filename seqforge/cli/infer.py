"""`seqforge infer`: any task, from its checkpoint alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from seqforge.cli.memory import keep_memory
from seqforge.cli.quiet import quiet_libraries

quiet_libraries()

from seqforge import checkpoint as checkpoints  # noqa: E402 - the libraries are quiet first
from seqforge.cli.arguments import (  # noqa: E402
    Parser,
    checkpoint_path,
    decodable,
    move,
    require_files,
)
from seqforge.cli.options import add_options, read_options  # noqa: E402
from seqforge.errors import OK, UserError  # noqa: E402
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
    keep_memory()
    path = checkpoint_path(argv, 'seqforge infer runs/NAME "some input" [OPTIONS]')
    if path is None:
        _parser(None).print_help()
        return OK
    load_registry(require_modules=True)
    task = checkpoints.load(path)
    parser = _parser(task)
    # Intermixed: options may stand before, between and after inline inputs.
    arguments = parser.parse_intermixed_args(argv)
    move(task, arguments.device)
    inputs = _inputs(arguments.inputs, arguments.input or [], task.folders)
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


def _write_table(table: Table, stream: TextIO) -> None:
    import csv

    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)


def _inputs(inline: Sequence[str], files: Sequence[str], folders: bool) -> list[Source]:
    require_files(files, folders)
    if inline or files:
        return [*map(decodable, inline), *[Path(file) for file in files]]
    return [STDIN] if sys.stdin is not None and not sys.stdin.isatty() else [""]


def _open(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write '{path}': {error.strerror}",
            where="--output",
            todo="give a file in a folder that exists and can be written",
        ) from error


def _parser(task: Task | None) -> argparse.ArgumentParser:
    name = type(task).__name__ if task is not None else ""
    parser = Parser(
        prog="seqforge infer",
        description=f"Inference with a {name} checkpoint."
        if name
        else "Inference from a checkpoint alone. `seqforge infer CHECKPOINT --help` shows the "
        "options of that checkpoint's task.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.todo = "see `seqforge infer CHECKPOINT --help`; data that begins with - comes after --"
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
