"""A task's options, a dataclass, as command line options: names with dashes, flags as flags."""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from typing import Any, Literal, Union, get_args, get_origin

from docstring_parser import parse


def add_options(parser: argparse.ArgumentParser, options: type, title: str) -> None:
    """Add one option for each field of a dataclass.

    A bool is a flag (`--name`, and `--no-name` where the default is on), a list takes several
    values, a Literal a choice; an optional field may be left out.

    Args:
        parser: Where the options go.
        options: The dataclass; the "Attributes" of its docstring are the help texts.
        title: Heading of the group.

    Raises:
        TypeError: A field has a type that no option can have, or no default.
    """
    taken = {action.dest for action in parser._actions}
    helps = {entry.arg_name: entry.description for entry in parse(options.__doc__ or "").params}
    hints = typing.get_type_hints(options)
    group = parser.add_argument_group(f"options of {title}")
    for field in dataclasses.fields(options):
        if field.name in taken:
            raise TypeError(f"{options.__name__}.{field.name}: `infer` has that name already")
        name = f"--{field.name.replace('_', '-')}"
        group.add_argument(
            name,
            dest=field.name,
            default=_default(field, options),
            help=(helps.get(field.name) or " ").replace("%", "%%"),
            **_shape(hints[field.name], f"{options.__name__}.{field.name}"),
        )


def read_options(options: type, arguments: argparse.Namespace) -> Any:
    """Return an instance of the dataclass with what was given on the command line."""
    values = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(options)}
    return options(**values)


def _default(field: dataclasses.Field[Any], options: type) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    raise TypeError(f"{options.__name__}.{field.name} needs a default")


def _shape(hint: Any, name: str) -> dict[str, Any]:
    """Return argparse's settings for a type."""
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    if hint in (int, float, str):
        return {"type": hint, "metavar": hint.__name__.upper()}
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"type": type(inner[0]), "choices": list(inner)}
    if origin is list and inner[0] in (int, float, str):
        return {"type": inner[0], "nargs": "+", "metavar": inner[0].__name__.upper()}
    if origin in (Union, types.UnionType) and len(inner) == 2 and type(None) in inner:
        return _shape(next(each for each in inner if each is not type(None)), name)
    raise TypeError(f"{name} has type {hint}, which cannot be given on the command line")
