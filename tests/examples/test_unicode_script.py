"""The example of a third party's package works as its README says."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

InstallPlugin = Callable[[Path], dict[str, str]]
Run = Callable[..., str]

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "unicode_script"


@pytest.fixture(scope="module")
def run_installed(install_plugin: InstallPlugin, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a module of Python, with the example installed, in a folder without its sources."""
    environment, folder = install_plugin(EXAMPLE), tmp_path_factory.mktemp("user")

    def run(*words: str) -> str:
        finished = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    return run


def test_its_own_tests_pass(run_installed: Run) -> None:
    tests = str(EXAMPLE / "tests")

    out = run_installed("pytest", "-q", "-p", "no:cacheprovider", "-W", "error", tests)

    assert "3 passed" in out


def test_it_is_listed(run_installed: Run) -> None:
    lines = [line.split() for line in run_installed("seqforge", "plugins").splitlines()]

    assert ["UnicodeScript", "seqforge-unicode-script", "0.1.0"] in [line[:3] for line in lines]
    assert ["UnicodeNames", "seqforge-unicode-script", "0.1.0"] in [line[:3] for line in lines]


def test_it_learns_and_answers(run_installed: Run) -> None:
    config = str(EXAMPLE / "unicode_script.yaml")
    smaller = ("--model.encoder.hidden_size", "48", "--trainer.max_epochs", "2")

    run_installed("seqforge", "fit", "--config", config, "--run", "short", *smaller)
    answers = run_installed("seqforge", "infer", "runs/short", "щ", "small letter alpha with tonos")

    rows = [line.split("\t") for line in answers.splitlines()]
    assert [row[:2] for row in rows] == [
        ["щ", "SMALL LETTER SHCHA"],
        ["small letter alpha with tonos", "SMALL LETTER ALPHA WITH TONOS"],
    ]
    assert rows[1][2] == "GREEK"


def test_it_stays_an_example() -> None:
    lines = [
        line
        for file in EXAMPLE.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]

    assert len(lines) < 190
