"""Finding the class that a configuration names, or saying why there is none."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from typing import Any

from seqforge import registry
from seqforge.cli.config_types import ClassHint, group_of, noun, subclasses
from seqforge.errors import UserError, closest_match

OUR_LIGHTNING = "pytorch_lightning"
OTHER_LIGHTNING = "lightning.pytorch"


def resolve(name: str, hints: Sequence[ClassHint], where: str) -> tuple[type, ClassHint] | None:
    """Find the class that a name stands for under some type hints.

    Args:
        name: A short name, or a dotted path.
        hints: The bases of which it should extend one.
        where: The key and its place, for the message.

    Returns:
        The class and the hint that it fits; None if the name is a function's or something else
        that this cannot judge.

    Raises:
        UserError: There is no such class, there are several, or it is none of the wanted kind.
    """
    found = _by_path(name, hints, where) if "." in name else _by_short_name(name, hints, where)
    if not isinstance(found, type):
        return None
    fitting = next((hint for hint in hints if issubclass(found, hint.base)), None)
    if fitting is None:
        raise _unfit(name, found, hints, where)
    if inspect.isabstract(found):
        raise _unknown(f"{name} is abstract: it cannot be used itself", name, hints, where)
    return found, fitting


def names(hints: Sequence[ClassHint]) -> list[str]:
    """List the short names that can be chosen under some hints, sorted.

    Plugins' names come from the registry, all others from the classes that are imported.
    """
    found: set[str] = set()
    for hint in hints:
        group = group_of(hint.base)
        if group:
            found |= set(registry.load().names(group))
        else:
            fitting = set(subclasses(hint.base))
            found |= fitting - {hint.base.__name__} or fitting
    return sorted(found)


def _by_short_name(name: str, hints: Sequence[ClassHint], where: str) -> Any:
    found: list[type] = []
    for hint in hints:
        found += [cls for cls in subclasses(hint.base).get(name, []) if cls not in found]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            f"the name '{name}' stands for more than one {noun(hints[0].base)}",
            where=where,
            accepted=[f"{cls.__module__}.{cls.__qualname__}" for cls in found],
            todo="give the full class path of the one you mean",
        )
    for group in filter(None, (group_of(hint.base) for hint in hints)):
        try:
            return registry.load().find(group, name, where=where)  # it knows broken plugins
        except UserError as error:
            if error.closest and error.todo.startswith("install"):
                error.todo = f"write {error.closest}, or {error.todo}"
            raise
    raise _unknown(f"no {noun(hints[0].base)} is called '{name}'", name, hints, where)


def _by_path(name: str, hints: Sequence[ClassHint], where: str) -> Any:
    module_name, _, last = name.rpartition(".")
    try:
        found: Any = importlib.import_module(module_name)
        return getattr(found, last)
    except AttributeError as error:
        raise UserError(
            f"the module '{module_name}' has no '{last}'",
            where=where,
            closest=closest_match(last, dir(found)),
            todo="mend the class path",
        ) from error
    except Exception as error:  # a module may fail in any way when it is imported
        if name.startswith(f"{OTHER_LIGHTNING}."):
            raise _other_lightning(name, where) from error
        problem = f"{type(error).__name__}: {error}"
        raise _unknown(f"cannot import '{module_name}': {problem}", name, hints, where) from error


def _unfit(name: str, cls: type, hints: Sequence[ClassHint], where: str) -> UserError:
    roots = {each.__module__.partition(".")[0] for each in cls.__mro__}
    ours = any(hint.base.__module__.startswith(OUR_LIGHTNING) for hint in hints)
    if ours and "lightning" in roots and OUR_LIGHTNING not in roots:
        return _other_lightning(name, where)
    return _unknown(f"{name} is no {noun(hints[0].base)}", name, hints, where)


def _other_lightning(name: str, where: str) -> UserError:
    if name.startswith(f"{OTHER_LIGHTNING}."):
        todo = f"write {OUR_LIGHTNING}{name.removeprefix(OTHER_LIGHTNING)}"
    else:
        todo = f"import from {OUR_LIGHTNING} there, not from {OTHER_LIGHTNING}"
    return UserError(
        f"'{name}' belongs to the package `lightning`; seqforge uses `{OUR_LIGHTNING}`, whose "
        "classes are others",
        where=where,
        todo=todo,
    )


def _unknown(given: str, name: str, hints: Sequence[ClassHint], where: str) -> UserError:
    known = names(hints)
    return UserError(
        given,
        where=where,
        accepted=known,
        closest=closest_match(name.rpartition(".")[2], known),
        todo="give one of these names, or the dotted path of a class of yours",
    )
