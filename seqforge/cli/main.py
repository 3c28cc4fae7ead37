"""The `seqforge` command: finds the subcommand and keeps the promises about exit codes.

What can be answered without torch is answered here or in modules as light as this one: importing
Lightning takes seconds, and a help text should not.
"""

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol, cast

import seqforge
from seqforge.discovery import PLUGINS_VARIABLE, plugin_modules
from seqforge.errors import FAILURE, INTERRUPTED, OK, USER_MISTAKE, UserError, closest_match


class Command(NamedTuple):
    """A subcommand: its help line, the module that runs it, what that module is handed."""

    summary: str
    module: str
    with_name: bool = False


COMMANDS: dict[str, Command] = {
    "fit": Command("train a model from a configuration", "seqforge.cli.fit", True),
    "validate": Command("measure a checkpoint on the validation data", "seqforge.cli.fit", True),
    "test": Command("measure a checkpoint on the test data", "seqforge.cli.fit", True),
    "predict": Command("run a checkpoint over a data module", "seqforge.cli.fit", True),
    "infer": Command("use a checkpoint: text, files or a stream in", "seqforge.cli.infer"),
    "inspect": Command("see inside a checkpoint: gradients, gates, units", "seqforge.cli.inspect"),
    "plugins": Command("list encoders, tasks, data modules and the like", "seqforge.cli.plugins"),
    "new-task": Command("write a plugin package for a task of your own", "seqforge.cli.new_task"),
    "schema": Command("print the JSON Schema of configurations", "seqforge.cli.schema"),
}


class _Runner(Protocol):
    def run(self, argv: list[str]) -> int: ...


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        args: The arguments after the program's name; None takes them from the process.

    Returns:
        The exit code: 0, 2 for a user's mistake, 75 for "stopped, resume me", 130 for Ctrl-C, or
        what the subcommand chose. Any other exception leaves as it is, with its traceback.
    """
    try:
        argv, plugins = _take_plugins(sys.argv[1:] if args is None else args)
        with _plugins_in_environment(plugins):
            return _dispatch(argv)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_MISTAKE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as stop:
        return _code(stop)


def entry() -> None:
    """Run the process's command line and exit with its code.

    Raises:
        SystemExit: Always.
    """
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` say, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILURE
    sys.exit(code)


def _dispatch(argv: list[str]) -> int:
    first = argv[0] if argv else "--help"
    if first in ("--help", "-h"):
        print(_help())
        return OK
    if first == "--version":
        print(f"seqforge {seqforge.__version__}")
        return OK
    if first not in COMMANDS:
        raise _unknown(first)
    command = COMMANDS[first]
    runner = cast("_Runner", importlib.import_module(command.module))
    return runner.run(argv if command.with_name else argv[1:])


def _unknown(first: str) -> UserError:
    kind = "option before the command" if first.startswith("-") else "command"
    return UserError(
        f"there is no {kind} '{first}'",
        accepted=COMMANDS,
        closest=closest_match(first, COMMANDS),
        todo="the command comes first, its options after it; see seqforge --help",
    )


def _take_plugins(args: Sequence[str]) -> tuple[list[str], list[str]]:
    rest: list[str] = []
    plugins: list[str] = []
    words = iter(args)
    for word in words:
        option, equals, value = word.partition("=")
        if word == "--":  # what follows is data, whatever it looks like
            return [*rest, word, *words], plugins
        if option != "--plugins":
            rest.append(word)
            continue
        names = value if equals else next(words, "")
        if not names.strip(" ,") or names.startswith("-"):
            raise UserError("--plugins names no module", todo="--plugins my_module,another.module")
        plugins.append(names)
    return rest, plugins


@contextmanager
def _plugins_in_environment(plugins: list[str]) -> Iterator[None]:
    # The environment, because the processes of a distributed run inherit it; put back afterwards,
    # because a caller in the same process did not ask for a lasting change.
    before = os.environ.get(PLUGINS_VARIABLE)
    if plugins:
        os.environ[PLUGINS_VARIABLE] = ",".join(plugin_modules(plugins))
    try:
        yield
    finally:
        if plugins and before is None:
            os.environ.pop(PLUGINS_VARIABLE, None)
        elif plugins and before is not None:
            os.environ[PLUGINS_VARIABLE] = before


def _code(stop: SystemExit) -> int:
    if stop.code is None:
        return OK
    if isinstance(stop.code, int):
        return stop.code
    print(stop.code, file=sys.stderr)
    return FAILURE


def _help() -> str:
    commands = "\n".join(f"  {name:<9} {each.summary}" for name, each in COMMANDS.items())
    return f"""usage: seqforge COMMAND [OPTIONS]

Recurrent sequence models for many tasks, trained from one YAML file.

commands:
{commands}

options:
  --plugins A,B  also load these modules' encoders, tasks, data modules and the like
  --version      print the version
  -h, --help     print this; after a command, print that command's options

examples:
  seqforge fit --config configs/char_generation.yaml
  seqforge fit --config configs/char_generation.yaml --model.encoder GRU --trainer.devices 2
  seqforge infer runs/NAME/best.ckpt "Shall I compare thee"\
"""
