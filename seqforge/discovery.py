"""What is installed, read from metadata and source alone: nothing of a plugin is imported here."""

import ast
import importlib.machinery
import importlib.util
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

PLUGINS_VARIABLE: Final = "SEQFORGE_PLUGINS"
ENCODERS: Final = "seqforge.encoders"
TASKS: Final = "seqforge.tasks"
DATA: Final = "seqforge.data"
IMAGE_ENCODERS: Final = "seqforge.image_encoders"


@dataclass(frozen=True)
class Group:
    """A kind of plugin: an entry-point group and the class that its members extend.

    Args:
        noun: What one member is called in messages.
        base: The base class as `module:Class`.
        key: Where a configuration names a member.
        part: Whether a task takes members, made already, as constructor arguments of its own.
    """

    noun: str
    base: str
    key: str
    part: bool = False


GROUPS: dict[str, Group] = {
    ENCODERS: Group("encoder", "seqforge.encoders:Encoder", "model.encoder"),
    TASKS: Group("task", "seqforge.task:Task", "model.task", part=True),
    DATA: Group("data module", "seqforge.data:DataModule", "data"),
    IMAGE_ENCODERS: Group(
        "image encoder", "seqforge.vision:ImageEncoder", "model.task.image_encoder", part=True
    ),
}


@dataclass(frozen=True)
class Entry:
    """One registered class and who registered it.

    Args:
        group: The entry-point group.
        name: The short name, which is the class's own.
        target: The class as `module:Class`.
        distribution: The installed package that has it, or `module NAME`.
        version: That package's version; "" for a module.
    """

    group: str
    name: str
    target: str
    distribution: str
    version: str

    @property
    def class_path(self) -> str:
        """The class as configurations name it: dots only."""
        return self.target.replace(":", ".")

    @property
    def origin(self) -> str:
        """The distribution with its version."""
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True)
class Description:
    """Where a class stands and what its docstring says first.

    Args:
        file: The source file; "" if it was not found.
        line: The line of the definition, from 1; 0 if it was not found.
        summary: The docstring's first line; "" if there is none.
    """

    file: str
    line: int
    summary: str


def entries(group: str | None = None) -> list[Entry]:
    """List every entry point of one group, or of all groups.

    Args:
        group: A key of `GROUPS`, or None for all.

    Returns:
        The entries in the groups' order, sorted by name within a group.

    Raises:
        ValueError: If there is no such group.
    """
    if group is not None and group not in GROUPS:
        raise ValueError(f"no plugin group {group!r}; there are {', '.join(GROUPS)}")
    found: list[Entry] = []
    for each in GROUPS if group is None else (group,):
        points = metadata.entry_points(group=each)
        members = {_entry(each, point) for point in points}
        found += sorted(members, key=lambda entry: (entry.name, entry.distribution))
    return found


def plugin_modules(extra: Sequence[str] = ()) -> list[str]:
    """List the modules that are named as plugins beside the installed packages.

    Args:
        extra: Further names; each may hold several, separated by commas.

    Returns:
        The names of SEQFORGE_PLUGINS, then the further ones, each once.
    """
    joined = ",".join([os.environ.get(PLUGINS_VARIABLE, ""), *extra])
    names = (name.strip() for name in joined.split(","))
    return list(dict.fromkeys(name for name in names if name))


def describe(entry: Entry) -> Description:
    """Find an entry's class in its source, following re-exports, without importing its package.

    Args:
        entry: What to look for.

    Returns:
        Where it is and what it is for; an empty description if no source was found.
    """
    module, _, name = entry.target.partition(":")
    return _find_class(module, name.strip(), set()) or Description("", 0, "")


def describe_module(module: str) -> Description:
    """Find a module's source and the first line of its docstring, without importing it.

    Args:
        module: The dotted name; the current folder is searched too.

    Returns:
        Where it is and what it is for; an empty description if no source was found.
    """
    file = _source_file(module)
    if file is None:
        return Description("", 0, "")
    return Description(str(file), 1, _summary(_parse(file)))


def _entry(group: str, point: metadata.EntryPoint) -> Entry:
    distribution = point.dist
    return Entry(
        group=group,
        name=point.name,
        target=point.value.partition("[")[0].replace(" ", ""),
        distribution=distribution.name if distribution else "unknown",
        version=distribution.version if distribution else "",
    )


def _find_class(module: str, name: str, seen: set[tuple[str, str]]) -> Description | None:
    file = _source_file(module)
    if file is None or (module, name) in seen:
        return None
    seen.add((module, name))
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    outer, _, inner = name.partition(".")
    stars: list[str] = []
    for statement in _statements(_parse(file).body):
        if isinstance(statement, ast.ClassDef) and statement.name == outer:
            found = _nested(statement, inner)
            return Description(str(file), found.lineno, _summary(found)) if found else None
        if isinstance(statement, ast.ImportFrom):
            source = _absolute(statement, package)
            for alias in statement.names:
                if alias.name == "*":
                    stars.append(source)
                elif (alias.asname or alias.name) == outer:
                    renamed = ".".join(filter(None, (alias.name, inner)))
                    return _find_class(source, renamed, seen)
    candidates = (_find_class(source, name, seen) for source in stars)
    return next(filter(None, candidates), None)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    # Classes and imports may stand under a top-level `if` or `try`, never deeper.
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try):
            yield from _statements(statement.body)
            yield from _statements(statement.orelse)


def _nested(outer: ast.ClassDef, path: str) -> ast.ClassDef | None:
    found: ast.ClassDef | None = outer
    for name in filter(None, path.split(".")):
        classes = [part for part in (found.body if found else []) if isinstance(part, ast.ClassDef)]
        found = next((part for part in classes if part.name == name), None)
    return found


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - statement.level + 1]
    return ".".join([*parts, statement.module] if statement.module else parts)


def _source_file(module: str) -> Path | None:
    top, *rest = module.split(".")
    spec = _top_level_spec(top)
    if spec is None:
        return None
    if spec.submodule_search_locations is None:
        return Path(spec.origin) if spec.origin and not rest else None
    # Only the top-level name is looked up: find_spec imports every parent of a dotted name.
    for location in spec.submodule_search_locations:
        folder = Path(location, *rest)
        for file in (folder / "__init__.py", folder.with_suffix(".py")):
            if file.is_file():
                return file
    return None


def _top_level_spec(name: str) -> importlib.machinery.ModuleSpec | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # ValueError: a loaded module without a spec
        return None
    return spec or importlib.machinery.PathFinder.find_spec(name, [str(Path.cwd())])


def _parse(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):  # `plugins --check` is where this gets reported
        return ast.Module(body=[], type_ignores=[])


def _summary(node: ast.Module | ast.ClassDef) -> str:
    lines = (ast.get_docstring(node) or "").splitlines()
    return lines[0].strip() if lines else ""
