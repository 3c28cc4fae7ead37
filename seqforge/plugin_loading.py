"""Importing plugins: each guarded, and each class checked against the rules of its group."""

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from seqforge import discovery
from seqforge.discovery import Entry


@dataclass(frozen=True)
class Registered:
    """A class that passed its group's checks, with the entry that brought it."""

    entry: Entry
    cls: type


@dataclass(frozen=True)
class Failure:
    """Why an entry could not be used.

    Args:
        entry: The entry; its group is "" when a whole module could not be imported.
        exception: What was raised.
        summary: The exception as one line.
        place: `file:line` of the plugin's own code; "" if it never ran.
        traceback: The full traceback as text.
    """

    entry: Entry
    exception: BaseException
    summary: str
    place: str
    traceback: str


def load_entry(entry: Entry) -> Registered | Failure:
    """Import an entry point's class and check it.

    Args:
        entry: The entry point.

    Returns:
        The class, or why it cannot be used.
    """
    return _checked(entry, lambda: _import_target(entry.target))


def check_class(group: str, cls: type, origin: str) -> Registered | Failure:
    """Check a class that is there already.

    Args:
        group: A key of `discovery.GROUPS`.
        cls: The class.
        origin: What is shown as its distribution.

    Returns:
        The class, or why it cannot be used.
    """
    target = f"{cls.__module__}:{cls.__qualname__}"
    return _checked(Entry(group, cls.__name__, target, origin, ""), lambda: cls)


def _checked(entry: Entry, get: Callable[[], object]) -> Registered | Failure:
    # SystemExit too: a plugin that exits when imported is broken like any other.
    try:
        found = get()
        base = base_class(entry.group)
    except (Exception, SystemExit) as error:
        return _failure(entry, error, _place(error))
    problem = _problem(found, entry, base)
    if problem or not isinstance(found, type):
        source = discovery.describe(entry)
        place = f"{source.file}:{source.line}" if source.file else ""
        return _failure(entry, TypeError(problem), place)
    return Registered(entry, found)


def _problem(found: object, entry: Entry, base: type) -> str:
    noun = discovery.GROUPS[entry.group].noun
    if not isinstance(found, type) or not issubclass(found, base) or found is base:
        return f"{entry.class_path} is no {noun}: it does not extend {path_of(base)}"
    if found.__name__ != entry.name:
        return f"the entry point '{entry.name}' must be called '{found.__name__}', like its class"
    if inspect.isabstract(found):
        missing = ", ".join(sorted(vars(found)["__abstractmethods__"]))
        return f"{entry.class_path} does not implement {missing}"
    return _constructor_problem(found, entry.class_path, base)


def _constructor_problem(cls: type, path: str, base: type) -> str:
    owner = next(each for each in cls.__mro__ if "__init__" in vars(each))
    if owner in base.__mro__:
        return ""  # the base's own constructor is not the plugin's to mend
    parameters = list(inspect.signature(vars(owner)["__init__"]).parameters.values())[1:]
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            return (
                f"the constructor of {path} takes **{parameter.name}: "
                "name every option, so that misspelt ones are refused"
            )
        if parameter.annotation is parameter.empty:
            return f"the constructor of {path} gives no type for '{parameter.name}'"
    return ""


def load_module(name: str) -> list[Registered | Failure]:
    """Import a module of the current folder, or any other, and check the plugins it defines.

    Args:
        name: The module's dotted name.

    Returns:
        The public, concrete classes that extend a group's base, each usable or not; one failure
        with the group "" if the module cannot be imported.
    """
    origin = f"module {name}"
    here = str(Path.cwd())
    # Last, so that a file in the current folder cannot take an installed package's place. It
    # stays: the module may import its neighbours later, and so may its worker processes.
    if here not in sys.path:
        sys.path.append(here)
    outcomes: list[Registered | Failure] = []
    try:
        module = importlib.import_module(name)
        for group in discovery.GROUPS:
            members = _members(vars(module).values(), group, name)
            outcomes += [check_class(group, cls, origin) for cls in members]
    except (Exception, SystemExit) as error:
        outcomes.append(_failure(Entry("", name, name, origin, ""), error, _place(error)))
    return outcomes


def _members(values: Iterable[object], group: str, module: str) -> list[type]:
    base = base_class(group)
    return [
        value
        for value in dict.fromkeys(each for each in values if isinstance(each, type))
        if issubclass(value, base)
        and f"{value.__module__}.".startswith(f"{module}.")
        and not value.__name__.startswith("_")
        and not inspect.isabstract(value)
    ]


def base_class(group: str) -> type:
    """Import the class that a group's members extend.

    Args:
        group: A key of `discovery.GROUPS`.

    Returns:
        The base class.

    Raises:
        TypeError: If the group's table names something that is no class.
    """
    base = _import_target(discovery.GROUPS[group].base)
    if not isinstance(base, type):
        raise TypeError(f"{discovery.GROUPS[group].base} is no class")
    return base


def path_of(cls: type) -> str:
    """Name a class by the module that defines it, as `module.Class`."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _import_target(target: str) -> object:
    module, _, path = target.partition(":")
    found: object = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _failure(entry: Entry, error: BaseException, place: str) -> Failure:
    summary = traceback.format_exception_only(error)[-1].strip()
    return Failure(entry, error, summary, place, "".join(traceback.format_exception(error)))


def _place(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    own = ("<frozen", __file__, importlib.__file__)
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(own)]
    if theirs:
        return f"{theirs[-1].filename}:{theirs[-1].lineno}"
    # The module was imported and lacks the name.
    return str(getattr(getattr(error, "obj", None), "__file__", None) or "")
