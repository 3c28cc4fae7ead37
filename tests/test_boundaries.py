"""Who may import whom, read from the imports themselves."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "seqforge"
TASKS = ROOT / "tasks" / "seqforge_tasks"

# A part imports from its own level and from lower ones. A new part gets a level here first.
LEVELS = {
    "errors": 0,
    "discovery": 0,
    "plugin_loading": 0,
    "registry": 0,
    "precision": 0,
    "state": 1,
    "layers": 1,
    "encoders": 2,
    "engines": 2,
    "attention": 2,
    "decoding": 2,
    "metrics": 2,
    "task": 3,
    "data": 3,
    "training": 3,
    "text": 3,
    "corpus": 3,
    "vision": 3,
    "checkpoint": 3,
    "inspection": 4,
    "testing": 4,
    "cli": 4,
    "__main__": 4,
}

Import = tuple[str, int]  # the dotted name, the line


def _imports(file: Path, source_root: Path) -> Iterator[Import]:
    parts = file.relative_to(source_root).with_suffix("").parts
    package = parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{module}.{alias.name}", node.lineno


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _is_a_part(dotted: str) -> bool:
    top, _, rest = dotted.partition(".")
    part = CORE / rest.partition(".")[0]
    return top == "seqforge" and rest != "" and (part.is_dir() or part.with_suffix(".py").is_file())


def _level(dotted: str) -> int:
    part = dotted.split(".")[1]
    assert part in LEVELS, f"seqforge.{part} has no level in {Path(__file__).name}: give it one"
    return LEVELS[part]


@pytest.mark.parametrize("file", _files(CORE), ids=lambda file: str(file.relative_to(ROOT)))
def test_the_core_knows_no_task(file: Path) -> None:
    found = {name.split(".")[0] for name, _ in _imports(file, ROOT)}

    assert found.isdisjoint({"seqforge_tasks", "tasks"})


@pytest.mark.parametrize("file", _files(CORE), ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_go_one_way(file: Path) -> None:
    relative = file.relative_to(ROOT).with_suffix("")
    if relative == Path("seqforge/__init__"):
        return  # it names every part, and fetches none before it is asked for
    own = _level(".".join(relative.parts))

    upwards = [
        f"line {line}: {name}"
        for name, line in _imports(file, ROOT)
        if _is_a_part(name) and _level(name) > own
    ]

    assert upwards == []


@pytest.mark.parametrize("file", _files(TASKS), ids=lambda file: str(file.relative_to(ROOT)))
def test_tasks_use_only_what_a_plugin_can(file: Path) -> None:
    private = [
        f"line {line}: {name}"
        for name, line in _imports(file, TASKS.parent)
        if name.split(".")[0] == "seqforge"
        if any(part.startswith("_") for part in name.split("."))
    ]

    assert private == []


def test_every_task_has_an_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    targets = project["entry-points"]["seqforge.tasks"].values()
    listed = {target.partition(":")[0].split(".")[1] for target in targets}

    folders = {file.parent.name for file in TASKS.glob("*/__init__.py")}

    assert folders == listed


def test_tasks_is_a_source_root_and_no_package() -> None:
    assert not (ROOT / "tasks" / "__init__.py").exists()
