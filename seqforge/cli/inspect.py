"""`seqforge inspect`: see inside a checkpoint while it reads a text."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

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
from seqforge.errors import OK, UserError  # noqa: E402
from seqforge.inspection import MOST_SYMBOLS, Subject, Unit, look  # noqa: E402
from seqforge.registry import load as load_registry  # noqa: E402
from seqforge.task import Reading, Task  # noqa: E402
from seqforge.text.sources import read_sources  # noqa: E402

USAGE = 'seqforge inspect runs/NAME --text "some text" [OPTIONS]'


def run(argv: list[str]) -> int:
    """Write figures, a table and a page about what checkpoints do with a text.

    Args:
        argv: The checkpoints and options.

    Returns:
        The exit code.

    Raises:
        UserError: No such checkpoint, text, unit or folder, or a task that cannot be looked into.
    """
    parser = _parser()
    if checkpoint_path(argv, USAGE) is None or "--help" in argv or "-h" in argv:
        parser.print_help()
        return OK
    arguments = parser.parse_args(argv)
    units = [_unit(given) for given in arguments.unit]
    if arguments.lags < 1:
        raise UserError(f"lags is {arguments.lags}", where="--lags", todo="give at least 1")
    text = _text(arguments.text, arguments.input)
    load_registry(require_modules=True)
    labels = _labels(arguments.checkpoints)
    subjects, lengths = [], set()
    for path, label in zip(arguments.checkpoints, labels, strict=True):
        task = checkpoints.load(path)
        move(task, arguments.device)
        reading, used = _read(task, text, path)
        subjects.append(Subject(label, reading))
        lengths.add(used)
    notes = []
    if min(lengths) < len(text):
        used = min(lengths)
        notes.append(
            f"The text has {len(text)} characters, of which the first {used} were read "
            f"(at most {MOST_SYMBOLS} symbols)."
        )
    report = look(subjects, lags=arguments.lags, wanted=units, notes=notes)
    folder = Path(arguments.output) if arguments.output else _beside(arguments.checkpoints[0])
    report.write(folder)
    for line in [*report.notes, *report.findings, str(folder / "index.html")]:
        print(line)
    return OK


def _read(task: Task, text: str, path: str) -> tuple[Reading, int]:
    """Give a text as a task reads it, and how many of its characters were used."""
    if type(task).reading is Task.reading:
        raise UserError(
            f"a {type(task).__name__} cannot be looked into: this task does not offer it",
            where=path,
            todo="give a checkpoint of another task; if it is your own, define Task.reading",
        )
    used = min(len(text), MOST_SYMBOLS + 1)
    while True:
        reading = task.reading(text[:used])
        length = len(reading.symbols)
        if length <= MOST_SYMBOLS:
            return reading, used
        # A character may be several symbols, as in UTF-8.
        used = min(used - 1, used * MOST_SYMBOLS // length)


def _text(inline: str | None, file: str | None) -> str:
    if inline is not None and file is not None:
        raise UserError(
            "--text and -i both give a text",
            where="command line",
            todo="give one of them",
        )
    if inline is not None:
        return decodable(inline)
    if file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise UserError(
            "there is no text to read",
            where="command line",
            todo='give --text "…" or -i FILE, of some thousand characters',
        )
    file = file or "-"
    require_files([file])
    return next(iter(read_sources([Path(file)], whole=True)))


def _unit(given: str) -> Unit:
    layer, colon, number = given.partition(":")
    if not (colon and layer.isdecimal() and number.isdecimal()):
        raise UserError(
            f"'{given}' is no unit",
            where="--unit",
            todo="give LAYER:NUMBER, both counted from 1, such as 2:17",
        )
    return Unit(int(layer), int(number))


def _labels(paths: Sequence[str]) -> list[str]:
    """Name checkpoints after their runs or files; by their paths where that is not enough."""
    files = [checkpoints.find(path) for path in paths]
    names = [_label(file.absolute()) for file in files]
    return names if len(set(names)) == len(names) else _numbered([str(file) for file in files])


def _numbered(names: Sequence[str]) -> list[str]:
    """Tell the same file, given twice, apart."""
    return [
        f"{name} ({number})" if names.count(name) > 1 else name
        for number, name in enumerate(names, 1)
    ]


def _label(file: Path) -> str:
    """Return the name of a checkpoint's run; of a file that lies in none, its own."""
    run = file.parent.parent.name if file.parent.name == "checkpoints" else ""
    return run or file.stem


def _beside(path: str) -> Path:
    given = checkpoints.find(path)
    folder = given.parent.parent if given.parent.name == "checkpoints" else given.parent
    return folder / "inspect"


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="seqforge inspect",
        description="See inside a checkpoint while it reads a text: how far back its errors' "
        "gradients reach, what its gates do, and which units follow quotes, brackets or lines. "
        "Several checkpoints have their gradients compared; gates and units are the first one's.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.todo = "see `seqforge inspect --help`"
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT", help=".ckpt or run folder")
    parser.add_argument("--text", help="the text, typed inline")
    parser.add_argument("-i", "--input", metavar="FILE", help="a UTF-8 file; `-`: standard input")
    parser.add_argument("--output", metavar="FOLDER", help="default: inspect/ in the run's folder")
    parser.add_argument(
        "--unit",
        nargs="+",
        default=[],
        metavar="LAYER:NUMBER",
        help="units to show besides the sharpest ones, counted from 1",
    )
    parser.add_argument("--lags", type=int, default=50, help="steps to follow the gradient back")
    parser.add_argument("--device", default="cpu", help="where the network runs")
    return parser
