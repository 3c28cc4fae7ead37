"""`seqforge plugins` lists what is installed and, on request, what is broken."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seqforge.cli import plugins
from seqforge.errors import UserError

RunCli = Callable[..., tuple[int, str, str]]
MakeDistribution = Callable[..., Path]

_POINTS = {"seqforge.tasks": {"Tagging": "tagging_plugin.task:Tagging"}}
_FILES = {
    "tagging_plugin/__init__.py": "raise ValueError('no luck')\n",
    "tagging_plugin/task.py": 'class Tagging:\n    """Tag words [bold]."""\n',
}


def test_lists_every_group(run_cli: RunCli) -> None:
    code, out, err = run_cli("plugins")

    assert (code, err) == (0, "")
    titles = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert titles == [
        "encoders (model.encoder)",
        "tasks (model.task)",
        "data modules (data)",
        "image encoders (model.task.image_encoder)",
    ]
    names = {line.split()[0] for line in out.splitlines() if line.startswith("  ")}
    assert {"RNN", "LSTM", "GRU", "CharGeneration", "TextFile", "SmallCNN"} <= names


def test_lists_a_third_partys_plugin_without_running_it(
    run_cli: RunCli, make_distribution: MakeDistribution
) -> None:
    site = make_distribution("tagging-tools", _POINTS, _FILES, version="3.1")

    code, out, err = run_cli("plugins", env={"PYTHONPATH": str(site)})

    assert (code, err) == (0, "")
    (line,) = (line for line in out.splitlines() if "Tagging" in line)
    assert line.split(maxsplit=3) == ["Tagging", "tagging-tools", "3.1", "Tag words [bold]."]


def test_check_shows_the_cause(run_cli: RunCli, make_distribution: MakeDistribution) -> None:
    site = make_distribution("tagging-tools", _POINTS, _FILES)

    code, out, _ = run_cli("plugins", "--check", env={"PYTHONPATH": str(site)})

    assert code == 1
    place = site / "tagging_plugin" / "__init__.py"
    assert (
        f"broken: Tagging of tagging-tools 1.0: ValueError: no luck ({place}:1)" in out.splitlines()
    )


def test_names_with_two_owners(run_cli: RunCli, make_distribution: MakeDistribution) -> None:
    points = {"seqforge.encoders": {"LSTM": "other_lstm:LSTM"}}
    site = make_distribution("other", points, {"other_lstm.py": "class LSTM: ..."})

    code, out, _ = run_cli("plugins", env={"PYTHONPATH": str(site)})

    assert code == 0
    (line,) = (line for line in out.splitlines() if line.startswith("conflict"))
    assert "'LSTM' stands for" in line
    assert "other_lstm.LSTM (other 1.0)" in line


def test_modules_are_listed_unimported(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "my_tasks.py").write_text('"""My own."""\nraise ValueError\n', encoding="utf-8")

    code, out, err = run_cli("plugins", "--plugins", "my_tasks")

    assert (code, err) == (0, "")
    assert "modules (--plugins, SEQFORGE_PLUGINS)" in out
    assert [line.split() for line in out.splitlines()][-1] == ["my_tasks", "module", "My", "own."]


def test_check_imports_modules(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "my_tasks.py").write_text("import absent_dependency\n", encoding="utf-8")

    code, out, _ = run_cli("plugins", "--check", "--plugins=my_tasks")

    assert code == 1
    assert "broken: my_tasks of module my_tasks: ModuleNotFoundError: No module named" in out
    assert f"({tmp_path / 'my_tasks.py'}:1)" in out


def test_check_of_the_projects_own(run_cli: RunCli) -> None:
    code, out, err = run_cli("plugins", "--check")

    assert code == 0, out + err
    assert ", 0 broken" not in out.splitlines()[0]
    assert out.splitlines()[-1].endswith(" 0 broken")


@pytest.mark.parametrize(("word", "closest"), [("--chek", "--check"), ("LSTM", "")])
def test_unknown_arguments(word: str, closest: str) -> None:
    with pytest.raises(UserError, match=f"plugins takes no '{word}'") as caught:
        plugins.run([word])

    assert caught.value.closest == closest


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert plugins.run(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: seqforge plugins [--check]")


def test_a_terminal_gets_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "100")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    assert plugins.run([]) == 0

    out = capsys.readouterr().out
    assert "encoders (model.encoder)" in out
    assert "what it is" in out
    assert "│" in out
