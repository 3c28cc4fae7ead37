"""`seqforge new-task`: writes a plugin package that is complete, works and is tested."""

from __future__ import annotations

import builtins
import importlib.util
import keyword
import re
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import seqforge
from seqforge import discovery
from seqforge.errors import OK, UserError, closest_match

TEMPLATES = Path(__file__).parent / "templates" / "new_task"
SUFFIX = ".tmpl"
"""Keeps the templates from being taken for tests, modules or projects where they lie."""

OPTIONS = ("--folder", "--help", "-h")
HELP = """usage: seqforge new-task NAME [--folder DIR]

Write a plugin package NAME: a task that labels texts, its data, a configuration and a test, all of
it working, as a start for a task of your own.

  NAME           a Python name in lower case, such as sentiment
  --folder DIR   where the package's folder goes; default: here
  -h, --help     print this"""


class Names(NamedTuple):
    """What a new package is called.

    Attributes:
        module: The name as the user gave it, of the folder and of the Python package.
        task: The name of the task's class.
        distribution: The name of what pip installs.
    """

    module: str
    task: str
    distribution: str

    @classmethod
    def of(cls, module: str) -> Names:
        """Derive all names from the one that was given."""
        words = [word for word in module.split("_") if word]
        task = "".join(word.capitalize() for word in words)
        return cls(module, task, f"seqforge-{'-'.join(words)}")

    def put_into(self, text: str) -> str:
        """Put these names where a template has those of `my_task`."""
        mine = {"my_task": self.module, "MyTask": self.task, "seqforge-my-task": self.distribution}
        return re.sub("|".join(mine), lambda match: mine[match.group()], text)


def run(argv: list[str]) -> int:
    """Write a package.

    Args:
        argv: The arguments after `new-task`.

    Returns:
        The exit code.

    Raises:
        UserError: The name cannot be used, or the folder cannot be written.
    """
    if "--help" in argv or "-h" in argv or not argv:
        print(HELP)
        return OK
    name, folder = _arguments(argv)
    names = check_name(name)
    target = folder / name
    files = write(names, target)
    print(f"wrote {target}: {files} files")
    print("next:")
    print(f"  cd {target}")
    print('  pip install -e ".[test]"')
    print("  pytest")
    print(f"  seqforge fit --config {name}.yaml")
    print(f"then make it yours: look for CHANGE in src/{name}/data.py and src/{name}/task.py")
    return OK


def check_name(name: str) -> Names:
    """Check that a package and its classes can be called so.

    Args:
        name: What the user gave.

    Returns:
        All names that follow from it.

    Raises:
        UserError: It is no name, or one that something else has.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UserError(
            f"'{name}' cannot be the name of a Python package",
            where="NAME",
            closest=_as_identifier(name),
            todo="give small letters, digits and underscores, a letter first",
        )
    if keyword.iskeyword(name):
        raise UserError(
            f"'{name}' is a word of Python itself",
            where="NAME",
            closest=f"{name}_task",
            todo="give another name",
        )
    names = Names.of(name)
    for taken in (_taken_class(names), _taken_module(names)):
        if taken:
            raise UserError(taken, where="NAME", closest=f"my_{name}", todo="give another name")
    return names


def write(names: Names, target: Path) -> int:
    """Write the package's files.

    Args:
        names: What it is called.
        target: Its folder, which must not be there yet.

    Returns:
        The number of files.

    Raises:
        UserError: The folder is there already or cannot be written.
    """
    templates = sorted(TEMPLATES.rglob(f"*{SUFFIX}"))
    try:
        target.mkdir(parents=True)
        for template in templates:
            relative = template.relative_to(TEMPLATES).as_posix().removesuffix(SUFFIX)
            file = target / names.put_into(relative)
            file.parent.mkdir(parents=True, exist_ok=True)
            text = template.read_text(encoding="utf-8")
            file.write_text(names.put_into(text), encoding="utf-8")
    except FileExistsError as error:
        raise UserError(
            f"'{target}' is there already: nothing was written",
            todo="give another name, or another folder with --folder",
        ) from error
    except OSError as error:
        raise UserError(
            f"cannot write '{target}': {error.strerror}",
            todo="give a folder that can be written, with --folder",
        ) from error
    return len(templates)


def _arguments(argv: list[str]) -> tuple[str, Path]:
    names: list[str] = []
    folder = ""
    words = iter(argv)
    for word in words:
        option, equals, value = word.partition("=")
        if option == "--folder":
            folder = value if equals else next(words, "")
            if not folder or folder.startswith("-"):
                raise UserError("--folder names no folder", todo="--folder plugins")
        elif word.startswith("-"):
            raise UserError(
                f"seqforge new-task takes no '{word}'",
                accepted=OPTIONS,
                closest=closest_match(option, OPTIONS),
            )
        else:
            names.append(word)
    if len(names) != 1:
        given = " ".join(names) or "no name"
        raise UserError(
            f"new-task wants one name, and was given {given}", todo="seqforge new-task sentiment"
        )
    return names[0], Path(folder)


def _taken_class(names: Names) -> str:
    """Say who has the name of one of the package's classes; empty if nobody has."""
    for group, name in ((discovery.TASKS, names.task), (discovery.DATA, f"{names.task}Data")):
        for entry in discovery.entries(group):
            if entry.name == name:
                return f"there is a {discovery.GROUPS[group].noun} {name} already: {entry.origin}'s"
    # The new classes must not hide a name that the package's own code uses.
    code = "".join(file.read_text(encoding="utf-8") for file in TEMPLATES.rglob("*.py.tmpl"))
    used = {*re.findall(r"\w+", code), *dir(builtins), *seqforge.__all__}
    for name in (names.task, f"{names.task}Data"):
        if name in used:
            return f"the class {name} would hide another one of that name"
    return ""


def _taken_module(names: Names) -> str:
    """Say who has the name of the package or of what pip installs; empty if nobody has."""
    spec = importlib.util.find_spec(names.module)
    if spec is not None and spec.origin is not None:  # without one it is a mere folder
        return f"there is a module '{names.module}' already: {spec.origin}"
    try:
        metadata.distribution(names.distribution)
    except metadata.PackageNotFoundError:
        return ""
    return f"a package '{names.distribution}' is installed already"


def _as_identifier(name: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return re.sub(r"[^a-z0-9]+", "_", snake).strip("_0123456789")
