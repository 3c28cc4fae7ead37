"""What the tests of the command line share."""

from collections.abc import Callable
from pathlib import Path

import pytest

import seqforge.cli.fit  # noqa: F401 - imported before any test, as it sets variables of libraries
from seqforge import errors
from seqforge.cli.main import main

Fails = Callable[..., list[str]]


@pytest.fixture
def fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Fails:
    """Run `fit` on a configuration, check that it is a user's mistake, return the message."""

    def run(text: str, *argv: str) -> list[str]:
        monkeypatch.chdir(tmp_path)
        Path("run.yaml").write_text(text, encoding="utf-8")
        assert main(["fit", "--config", "run.yaml", *argv]) == errors.USER_MISTAKE
        lines = capsys.readouterr().err.splitlines()
        assert lines[0].startswith("error: ")
        assert len(lines) <= 5
        assert max(map(len, lines)) <= 167
        assert "Traceback" not in "".join(lines)
        left = {each.name for each in Path("runs").glob("*")} - {"cache"}
        assert not left, "a mistake leaves no run behind"
        return lines

    return run
