"""The house rules that can be counted."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "seqforge").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
TEXT_SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".cfg", ".sh", ".json", ""}

CACHES = {"__pycache__", ".pytest_cache", ".ruff_cache"}

FILE_LINES = 400
FUNCTION_LINES = 60

# Split, so that this file does not break its own rule.
FORBIDDEN = re.compile(
    "|".join(["/wor" + "k/", "/roo" + "t/", "/opt/py" + "pi", "/opt/whe" + "els"])
)

# Constructors that hand a foreign base class what its framework gives them.
FORWARDING = {"HintingParser"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef

each_source = pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
each_file = pytest.mark.parametrize(
    "file", [*SOURCES, *TESTS], ids=lambda file: str(file.relative_to(ROOT))
)


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _public(body: list[ast.stmt]) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from _public(node.body)
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from _public(node.body)


def _decorators(node: Definition) -> set[str]:
    names = (each.func if isinstance(each, ast.Call) else each for each in node.decorator_list)
    return {ast.unparse(name).rpartition(".")[2] for name in names}


@each_source
def test_public_definitions_are_documented(file: Path) -> None:
    tree = _tree(file)
    silent = [
        f"line {node.lineno}: {node.name}"
        for node in _public(tree.body)
        # An override says nothing new unless it says so; a setter is its getter's other half.
        if not ast.get_docstring(node)
        and not _decorators(node) & {"override", "overload", "setter"}
    ]

    assert ast.get_docstring(tree), "the module says nothing about itself"
    assert silent == []


@each_file
def test_files_stay_short(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= FILE_LINES


@each_file
def test_functions_stay_short(file: Path) -> None:
    long = []
    for node in ast.walk(_tree(file)):
        if isinstance(node, Function):
            # Documentation is not counted: it should never be cut to make a function fit.
            first = node.body[0]
            documented = ast.get_docstring(node) is not None
            prose = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
            lines = (node.end_lineno or 0) - node.lineno + 1 - prose
            if lines > FUNCTION_LINES:
                long.append(f"line {node.lineno}: {node.name} has {lines}")

    assert long == []


@each_source
def test_public_constructors_name_every_option(file: Path) -> None:
    sinks = [
        f"line {node.lineno}: {owner.name}(**{node.args.kwarg.arg})"
        for owner in _public(_tree(file).body)
        if isinstance(owner, ast.ClassDef) and owner.name not in FORWARDING
        for node in owner.body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__" and node.args.kwarg
    ]

    assert sinks == []


def _texts() -> list[Path]:
    folders = ["seqforge", "tasks", "tests", "docs", "configs", "benchmarks", ".ci"]
    inside = (file for folder in folders for file in (ROOT / folder).rglob("*"))
    return sorted(
        file
        for file in [*inside, *ROOT.glob("*")]
        if file.is_file() and file.suffix in TEXT_SUFFIXES and not CACHES & set(file.parts)
    )


def test_no_machines_path_is_committed() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {match.group()}"
        for file in _texts()
        for match in FORBIDDEN.finditer(file.read_text(encoding="utf-8"))
    ]

    assert found == []
