"""Which parameters a parser or class has, what their types mean to a user, which classes fit."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from jsonargparse import ArgumentParser
from torch import Tensor

from seqforge import discovery
from seqforge.data.base import DataModule
from seqforge.plugin_loading import base_class

_WORDS: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    type(None): "null",
    Path: "a path",
    timedelta: "a duration",
    Any: "anything",
    dict: "a mapping",
    list: "a list",
    tuple: "a list",
}
_NO_CLASSES = (int, float, bool, str, bytes, type(None), Path, timedelta, Enum, dict, list, tuple)


@dataclass(frozen=True)
class Parameter:
    """One thing that can be configured.

    Attributes:
        name: Its key, dotted from the parser's top.
        hint: Its type hint; None if there is none.
        default: Its default, as the parser has it.
        required: Whether it must be given.
        description: What it is, in words.
    """

    name: str
    hint: Any
    default: Any
    required: bool
    description: str


@dataclass(frozen=True)
class ClassHint:
    """A type hint under which a class is chosen by its name.

    Attributes:
        base: The class to extend.
        given: How many leading arguments the program itself gives.
    """

    base: type
    given: int = 0


def parser_parameters(parser: ArgumentParser) -> dict[str, Parameter]:
    """List what a parser accepts in configurations, by dotted key."""
    found = {}
    # Keys that must be given although their option is not required; the older name comes second.
    required = getattr(parser, "_extra_required_keys", getattr(parser, "required_args", ()))
    for action in parser._actions:
        kind = type(action).__name__
        # Only these hold values; the others load files or print something and exit.
        if kind in ("ActionTypeHint", "_StoreAction", "ActionYesNo"):
            hint = getattr(action, "_typehint", None) or action.type
            help_text = str(action.help or "")
            must = bool(action.required) or action.dest in required
            found[action.dest] = Parameter(action.dest, hint, action.default, must, help_text)
    return found


@lru_cache(maxsize=256)
def class_parameters(cls: type, given: int = 0) -> Mapping[str, Parameter]:
    """List what a class's constructor accepts in configurations, those of its bases included.

    Args:
        cls: The class.
        given: How many leading arguments the program itself gives.

    Returns:
        The parameters by name.
    """
    parser = ArgumentParser(exit_on_error=False)
    skip: set[str | int] = {given} if given else set()
    parser.add_class_arguments(cls, "x", skip=skip, fail_untyped=False, sub_configs=True)
    found = {}
    for key, each in parser_parameters(parser).items():
        name = key.removeprefix("x.")
        found[name] = Parameter(name, each.hint, each.default, each.required, each.description)
    return found


def members(hint: Any) -> list[Any]:
    """Split a union into its members; any other hint is its own only member.

    A tensor among numbers is left out: it stands for a number, and has no name to choose it by.
    """
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return members(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        found = [each for member in typing.get_args(hint) for each in members(member)]
        numbers = int in found or float in found
        return [each for each in found if not (numbers and each is Tensor)]
    return [hint]


def class_hints(hint: Any) -> list[ClassHint]:
    """Find the classes, and factories of classes, that a hint asks for by name."""
    found = []
    for member in members(hint):
        origin, arguments = typing.get_origin(member), typing.get_args(member)
        if origin is Callable or member is Callable:
            made = arguments[1] if len(arguments) == 2 else None
            leading = arguments[0] if arguments and isinstance(arguments[0], list) else []
            found += [ClassHint(each.base, len(leading)) for each in class_hints(made)]
        elif isinstance(member, type) and not origin and not issubclass(member, _NO_CLASSES):
            found.append(ClassHint(member))
    return found


def element_hints(hint: Any) -> list[Any]:
    """Return the element types of the lists among a hint's members."""
    return [
        typing.get_args(member)[0]
        for member in members(hint)
        if typing.get_args(member) and _is_a(typing.get_origin(member), Iterable, Mapping)
    ]


def value_hints(hint: Any) -> list[Any]:
    """Return the value types of the mappings among a hint's members."""
    return [
        typing.get_args(member)[1]
        for member in members(hint)
        if len(typing.get_args(member)) == 2 and _is_a(typing.get_origin(member), Mapping)
    ]


def _is_a(origin: Any, base: type, but: type | None = None) -> bool:
    fits = isinstance(origin, type) and issubclass(origin, base)
    return fits and (but is None or not issubclass(origin, but))


def in_words(hint: Any) -> list[str]:
    """Say what values a hint accepts: one text for each kind of value."""
    found: list[str] = []
    for member in members(hint):
        origin, arguments = typing.get_origin(member), typing.get_args(member)
        if origin is Literal:
            found += [str(value) for value in arguments]
        elif _is_a(origin, Mapping):
            found.append("a mapping")
        elif _is_a(origin, Iterable):
            inner = " or ".join(in_words(arguments[0])) if arguments else ""
            found.append(f"a list of: {inner}" if inner else "a list")
        elif classes := class_hints(member):
            found += [f"a class: {noun(each.base)}" for each in classes]
        else:
            found.append(_WORDS.get(member) or str(getattr(member, "__name__", member)))
    return list(dict.fromkeys(found))


def choices(hint: Any) -> list[str]:
    """Return the literal values that a hint names."""
    return [
        str(value)
        for member in members(hint)
        if typing.get_origin(member) is Literal
        for value in typing.get_args(member)
    ]


def group_of(base: type) -> str:
    """Return the plugin group whose members are chosen under a hint; "" if there is none."""
    for group in discovery.GROUPS:
        member = base_class(group)
        # Lightning asks for any LightningDataModule where we register our own.
        wider = member is DataModule and base is not object and issubclass(member, base)
        if issubclass(base, member) or wider:
            return group
    return ""


def noun(base: type) -> str:
    """Say what the members of a class are called."""
    group = group_of(base)
    return discovery.GROUPS[group].noun if group else base.__name__.lower()


def subclasses(base: type) -> dict[str, list[type]]:
    """Find the concrete, public classes that extend a base, itself included, by short name."""
    found: dict[str, list[type]] = {}
    for cls in dict.fromkeys(_descendants(base)):
        if not inspect.isabstract(cls) and not _is_private(cls):
            found.setdefault(cls.__name__, []).append(cls)
    return found


def _descendants(base: type) -> Iterator[type]:
    yield base
    children: list[type] = type.__subclasses__(base)
    for child in children:
        yield from _descendants(child)


def _is_private(cls: type) -> bool:
    return cls.__name__.startswith("_") or "<locals>" in cls.__qualname__
