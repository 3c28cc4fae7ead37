"""Every configuration that comes with seqforge is accepted by the real parser."""

from pathlib import Path

import pytest
import yaml

import seqforge.cli.fit  # noqa: F401 - imported before any test, as it sets variables of libraries
from seqforge.cli.main import main

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


def test_there_are_configurations() -> None:
    assert CONFIGS


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: str(file.relative_to(ROOT)))
def test_it_parses(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["fit", "--config", str(file), "--print_config"])

    captured = capsys.readouterr()
    assert code == 0, captured.err
    given, resolved = yaml.safe_load(file.read_text(encoding="utf-8")), yaml.safe_load(captured.out)
    for group in given:
        assert resolved[group] is not None
    for key, value in given.get("trainer", {}).items():
        if not isinstance(value, dict | list):
            assert resolved["trainer"][key] == value


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: str(file.relative_to(ROOT)))
def test_it_says_what_it_is_for(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    header = "\n".join(line for line in lines[:20] if line.startswith("#"))

    for heading in ("# Purpose:", "# Data:", "# Command:"):
        assert heading in header
    assert str(file.relative_to(ROOT)) in header, "the command names another file"
