"""The command line's front: help, unknown words, plugins for child processes, exit codes."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import seqforge
from seqforge import errors, registry
from seqforge.cli.main import COMMANDS, main
from seqforge.discovery import PLUGINS_VARIABLE
from seqforge.errors import UserError

RunCli = Callable[..., tuple[int, str, str]]
Runner = Callable[[list[str]], int]


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PLUGINS_VARIABLE, raising=False)


@pytest.fixture
def put_runner(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Runner], None]:
    """Replace a subcommand's module by one with the given `run`."""

    def put(command: str, run: Runner) -> None:
        module = ModuleType(COMMANDS[command].module)
        vars(module)["run"] = run
        monkeypatch.setitem(sys.modules, COMMANDS[command].module, module)

    return put


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"], ["--help", "fit"]])
def test_help_is_one_screen(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 0

    out = capsys.readouterr().out
    assert len(out.splitlines()) <= 24
    assert max(map(len, out.splitlines())) <= 92
    for name, command in COMMANDS.items():
        assert any(line.split() == [name, *command.summary.split()] for line in out.splitlines())
    assert out.count("\n  seqforge ") == 3


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"seqforge {seqforge.__version__}\n"


def test_arguments_come_from_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["seqforge", "--version"])

    assert main() == 0
    assert capsys.readouterr().out.startswith("seqforge ")


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ift", "--config", "x.yaml"]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[0] == "error: there is no command 'ift'"
    assert "  did you mean: fit" in lines
    assert len(lines) <= 5


def test_an_option_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", "x.yaml", "fit"]) == 2
    assert "no option before the command '--config'" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_gets_its_arguments(
    command: str, put_runner: Callable[[str, Runner], None]
) -> None:
    seen: list[list[str]] = []

    def run(argv: list[str]) -> int:
        seen.append(argv)
        return 75

    put_runner(command, run)

    assert main([command, "--one", "two"]) == 75

    first = [command] if command in ("fit", "validate", "test", "predict") else []
    assert seen == [[*first, "--one", "two"]]


@pytest.mark.parametrize(
    ("argv", "rest", "plugins"),
    [
        (["--plugins", "a,b", "infer", "x"], ["x"], "was,a,b"),
        (["infer", "--plugins=a", "x", "--plugins", "b,a"], ["x"], "was,a,b"),
        (["infer", "--", "--plugins", "a"], ["--", "--plugins", "a"], "was"),
        (["infer", "x"], ["x"], "was"),
    ],
)
def test_plugins_reach_child_processes(
    argv: list[str],
    rest: list[str],
    plugins: str,
    put_runner: Callable[[str, Runner], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PLUGINS_VARIABLE, "was")
    seen: list[object] = []

    def run(argv: list[str]) -> int:
        seen.extend([argv, os.environ[PLUGINS_VARIABLE]])
        return 0

    put_runner("infer", run)

    assert main(argv) == 0

    assert seen == [rest, plugins]
    assert os.environ[PLUGINS_VARIABLE] == "was"


def test_the_environment_is_put_back_when_it_held_nothing(
    put_runner: Callable[[str, Runner], None],
) -> None:
    put_runner("infer", lambda argv: int(os.environ[PLUGINS_VARIABLE] != "a"))

    assert main(["infer", "--plugins", "a"]) == 0
    assert PLUGINS_VARIABLE not in os.environ


@pytest.mark.parametrize("argv", [["fit", "--plugins"], ["--plugins=", "fit"], ["--plugins", "-x"]])
def test_plugins_without_a_name(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert "error: --plugins names no module" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "code", "text"),
    [
        (UserError("no such file", todo="look again"), 2, "error: no such file\n  to do: look ag"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (SystemExit(75), 75, ""),
        (SystemExit(None), 0, ""),
        (SystemExit("words"), 1, "words"),
    ],
)
def test_exit_codes(
    raised: BaseException,
    code: int,
    text: str,
    put_runner: Callable[[str, Runner], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(argv: list[str]) -> int:
        raise raised

    put_runner("infer", run)

    assert main(["infer"]) == code
    assert capsys.readouterr().err.startswith(text)


def test_other_exceptions_keep_their_traceback(put_runner: Callable[[str, Runner], None]) -> None:
    def run(argv: list[str]) -> int:
        raise ZeroDivisionError("a bug")

    put_runner("infer", run)

    with pytest.raises(ZeroDivisionError, match="a bug"):
        main(["infer"])


def test_as_a_process(run_cli: RunCli) -> None:
    code, out, err = run_cli("fitt")

    assert (code, out) == (2, "")
    assert err.startswith("error: there is no command 'fitt'")


@pytest.mark.parametrize("argv", [["fit", "--config", "x.yaml"], ["infer", "x.ckpt"], ["schema"]])
@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("nowhere", ["No module named 'nowhere'", "--plugins or SEQFORGE_PLUGINS", "its name"]),
        ("broken", ["KeyError: 'oh no'", "broken.py:2", "mend it"]),
    ],
)
def test_a_named_module_that_cannot_be_imported(
    module: str,
    expected: list[str],
    argv: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("broken.py").write_text('"""A plugin."""\nraise KeyError("oh no")\n', encoding="utf-8")

    with registry.temporarily():
        for words in (["--plugins", module, *argv], argv):
            if words is argv:
                monkeypatch.setenv(PLUGINS_VARIABLE, module)
            assert main(words) == errors.USER_MISTAKE
            message = capsys.readouterr().err
            assert f"the plugin module '{module}' cannot be imported" in message
            assert len(message.splitlines()) <= 5
            assert all(part in message for part in expected), message


def test_a_named_module_that_cannot_be_imported_is_listed(run_cli: RunCli) -> None:
    code, out, _ = run_cli("--plugins", "nowhere", "plugins")

    assert code == 0
    assert "nowhere" in out
