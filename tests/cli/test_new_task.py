"""`seqforge new-task` writes a package that works as it is, and refuses names that would not."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seqforge import discovery
from seqforge.cli import new_task
from seqforge.cli.new_task import TEMPLATES, Names, check_name, run
from seqforge.discovery import Entry
from seqforge.errors import UserError

InstallPlugin = Callable[[Path], dict[str, str]]
RunCli = Callable[..., tuple[int, str, str]]
Run = Callable[..., str]

# Short and long, because names change where lines break and how imports sort.
NAMES = ("sentiment", "a1", "zz_rather_long_name_of_a_task")


def _generate(name: str, folder: Path) -> Path:
    assert run([name, "--folder", str(folder)]) == 0
    return folder / name


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _generate("sentiment", tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="module")
def run_inside(package: Path, install_plugin: InstallPlugin) -> Run:
    """Run a module of Python in the folder of the generated package, which is installed."""
    environment = install_plugin(package)

    def run_module(*words: str) -> str:
        finished = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=package,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    return run_module


def test_says_what_to_do_next(tmp_path: Path, run_cli: RunCli) -> None:
    code, out, err = run_cli("new-task", "sentiment")

    assert (code, err) == (0, "")
    assert [line.strip() for line in out.splitlines()][:6] == [
        "wrote sentiment: 8 files",
        "next:",
        "cd sentiment",
        'pip install -e ".[test]"',
        "pytest",
        "seqforge fit --config sentiment.yaml",
    ]
    written = {str(file.relative_to(tmp_path / "sentiment")) for file in tmp_path.rglob("*.*")}
    assert written >= {
        "README.md",
        "pyproject.toml",
        "sentiment.yaml",
        "src/sentiment/__init__.py",
        "src/sentiment/data.py",
        "src/sentiment/task.py",
        "src/sentiment/py.typed",
        "tests/test_sentiment.py",
    }


def test_answers_without_torch(tmp_path: Path) -> None:
    script = (
        "import sys; from seqforge.cli.main import main; "
        "assert main(['new-task', 'sentiment']) == 0; print('torch' in sys.modules)"
    )

    out = subprocess.check_output([sys.executable, "-c", script], cwd=tmp_path, text=True)

    assert out.splitlines()[-1] == "False"


def test_names_are_put_in_everywhere(tmp_path: Path) -> None:
    folder = _generate("named_entities", tmp_path)

    texts = [file.read_text(encoding="utf-8") for file in folder.rglob("*") if file.is_file()]
    assert not re.search("my.?task", " ".join([*texts, *map(str, folder.rglob("*"))]), re.I)
    project = (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert 'name = "seqforge-named-entities"' in project
    assert 'NamedEntitiesData = "named_entities:NamedEntitiesData"' in project


def test_generated_modules_are_short() -> None:
    for name, most in (("task.py", 105), ("data.py", 115)):
        text = (TEMPLATES / "src" / "my_task" / f"{name}.tmpl").read_text(encoding="utf-8")
        assert len(text.splitlines()) <= most


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("sentiment", Names("sentiment", "Sentiment", "seqforge-sentiment")),
        ("named_entities", Names("named_entities", "NamedEntities", "seqforge-named-entities")),
        ("tags2", Names("tags2", "Tags2", "seqforge-tags2")),
        ("a__b_", Names("a__b_", "AB", "seqforge-a-b")),
    ],
)
def test_names(module: str, expected: Names) -> None:
    assert check_name(module) == expected


@pytest.mark.parametrize(
    ("name", "message", "closest"),
    [
        ("my-task", "'my-task' cannot be the name of a Python package", "my_task"),
        ("MyTask", "'MyTask' cannot be", "my_task"),
        ("2nd_task", "'2nd_task' cannot be", "nd_task"),
        ("größe", "'größe' cannot be", "gr_e"),
        ("../up", "'../up' cannot be", "up"),
        ("_hidden", "'_hidden' cannot be", "hidden"),
        ("", "'' cannot be", ""),
        ("class", "'class' is a word of Python itself", "class_task"),
        ("json", "there is a module 'json' already", "my_json"),
        ("sys", "there is a module 'sys' already: built-in", "my_sys"),
        ("torch", "there is a module 'torch' already", "my_torch"),
        ("seqforge_tasks", "there is a module 'seqforge_tasks' already", "my_seqforge_tasks"),
        (
            "char_generation",
            "there is a task CharGeneration already: seqforge-light",
            "my_char_generation",
        ),
        ("lightning", "a package 'seqforge-lightning' is installed already", "my_lightning"),
        ("task", "the class Task would hide another one of that name", "my_task"),
        ("text", "the class Text would hide", "my_text"),
        ("tensor", "the class Tensor would hide", "my_tensor"),
        ("exception", "the class Exception would hide", "my_exception"),
    ],
)
def test_refused_names(name: str, message: str, closest: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        run([name, f"--folder={tmp_path}"])

    assert caught.value.closest == closest
    assert len(str(caught.value).splitlines()) <= 5
    assert list(tmp_path.iterdir()) == []


def test_refuses_the_name_of_a_data_module(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry(discovery.DATA, "TagsData", "other:TagsData", "other", "1.0")
    monkeypatch.setattr(
        discovery, "entries", lambda group: [entry] if group == discovery.DATA else []
    )

    with pytest.raises(UserError, match=r"data module TagsData already: other 1\.0's"):
        check_name("tags")


def test_refuses_an_existing_folder(tmp_path: Path) -> None:
    (tmp_path / "sentiment").mkdir()

    with pytest.raises(UserError, match="sentiment' is there already: nothing was written"):
        run(["sentiment", "--folder", str(tmp_path)])

    assert list((tmp_path / "sentiment").iterdir()) == []


def test_refuses_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UserError, match=r"cannot write .*: Not a directory"):
        run(["sentiment", "--folder", str(tmp_path / "file")])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["one", "two"], "new-task wants one name, and was given one two"),
        (["--folder", "here"], "new-task wants one name, and was given no name"),
        (["one", "--folder"], "--folder names no folder"),
        (["one", "--folder="], "--folder names no folder"),
        (["one", "--foldr", "x"], "new-task takes no '--foldr'"),
    ],
)
def test_refused_arguments(argv: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(argv)


@pytest.mark.parametrize("argv", [[], ["--help"], ["sentiment", "-h"]])
def test_help(
    argv: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(argv) == 0

    assert capsys.readouterr().out == new_task.HELP + "\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_generated_code_is_clean(name: str, tmp_path: Path) -> None:
    folder = _generate(name, tmp_path)
    house_rules = ["--isolated", "--line-length=100", "--select=E,F,W,I,UP,B,C4,RUF,SIM,PTH,RET"]

    for words in (["check", *house_rules], ["check"], ["format", "--check"]):
        finished = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout


def test_generated_code_is_typed(package: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, "src", "tests"],
        cwd=package,
        env={**os.environ, "MYPYPATH": "src"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout


def test_generated_tests_pass(run_inside: Run) -> None:
    out = run_inside("pytest", "-q", "-p", "no:cacheprovider", "-W", "error")

    assert "6 passed" in out


def test_generated_task_is_listed(run_inside: Run) -> None:
    out = run_inside("seqforge", "plugins", "--check")

    lines = [line.split() for line in out.splitlines()]
    assert ["Sentiment", "seqforge-sentiment", "0.1.0"] in [line[:3] for line in lines]
    assert ["SentimentData", "seqforge-sentiment", "0.1.0"] in [line[:3] for line in lines]


def test_generated_task_learns_and_answers(run_inside: Run, package: Path) -> None:
    words = ("fit", "--config", "sentiment.yaml", "--trainer.max_epochs", "1")

    out = run_inside("seqforge", *words)

    assert "val/accuracy" in out
    (folder,) = (package / "runs").iterdir()
    answers = run_inside("seqforge", "infer", str(folder), "some text", "other", "--top", "2")
    rows = [line.split("\t") for line in answers.splitlines()]
    assert [len(row) for row in rows] == [2, 2, 2, 2]
    assert {label for label, _ in rows} == {"negative", "positive"}
    assert sum(float(chance) for _, chance in rows) == pytest.approx(2.0, abs=0.01)
