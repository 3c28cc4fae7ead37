"""JSON Schemas of type hints and of the classes that can be chosen under them."""

from __future__ import annotations

import argparse
import inspect
import sys
import typing
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from seqforge import registry
from seqforge.cli.config_types import (
    ClassHint,
    Parameter,
    class_hints,
    class_parameters,
    group_of,
    members,
    subclasses,
)

CLASSES_LISTED = 80
"""Of a base with more subclasses, such as `nn.Module`, any dotted path is accepted."""

_BASIC: dict[object, dict[str, Any]] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    Path: {"type": "string"},
    timedelta: {"type": "string"},
    type(None): {"type": "null"},
    dict: {"type": "object"},
    list: {"type": "array"},
    tuple: {"type": "array"},
}


def described(parameter: Parameter, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Add a parameter's description and default to the schema of its type."""
    text = " ".join(parameter.description.replace("%%", "%").split())
    found: dict[str, Any] = {"description": text} if text else {}
    default = parameter.default
    as_dict = getattr(default, "as_dict", None)
    if as_dict is not None:
        default = as_dict()
    if not parameter.required and default != argparse.SUPPRESS and _is_json(default):
        found["default"] = default
    return found | dict(schema)


class TypeSchemas:
    """Makes schemas of types; those of classes are shared as definitions.

    Attributes:
        definitions: The schemas that others refer to, by name.
    """

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def of(self, hint: Any) -> dict[str, Any]:
        """Return the schema of a type hint; an unknown type accepts everything."""
        found: list[dict[str, Any]] = []
        for member in members(hint):
            schema = self._member(member)
            if not schema:
                return {}
            if schema not in found:
                found.append(schema)
        return found[0] if len(found) == 1 else {"anyOf": found}

    def _member(self, hint: Any) -> dict[str, Any]:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is Literal:
            return {"enum": list(arguments)}
        if hint in _BASIC:
            return dict(_BASIC[hint])
        if isinstance(origin, type) and issubclass(origin, Mapping):
            values = self.of(arguments[1]) if len(arguments) == 2 else {}
            return {"type": "object", "additionalProperties": values or True}
        if isinstance(origin, type) and issubclass(origin, Iterable):
            plain = arguments and origin is not tuple
            return {"type": "array"} | ({"items": self.of(arguments[0])} if plain else {})
        references = [self._reference(each) for each in class_hints(hint)]
        return (
            references[0] if len(references) == 1 else {"anyOf": references} if references else {}
        )

    # -- classes ------------------------------------------------------------------------------

    def _reference(self, hint: ClassHint) -> dict[str, Any]:
        name = _definition(hint.base, hint.given)
        if name not in self.definitions:
            self.definitions[name] = {}  # before its members: a class may ask for its own kind
            self.definitions[name] = self._choice(hint)
        return {"$ref": f"#/$defs/{name}"}

    def _choice(self, hint: ClassHint) -> dict[str, Any]:
        classes = _choosable(hint.base)
        known = [path for cls, paths in classes for path in paths]
        # Classes that are not registered are named by their path, and their arguments unknown.
        other = {"type": "string", "pattern": r"^\w+(\.\w+)+$", "not": {"enum": known}}
        return {
            "anyOf": [
                {"enum": known},
                *(self._class(cls, paths, hint.given) for cls, paths in classes),
                other,
                {
                    "type": "object",
                    "properties": {
                        "class_path": other,
                        "init_args": {"type": ["object", "null"]},
                        "dict_kwargs": {"type": ["object", "null"]},
                    },
                    "required": ["class_path"],
                    "additionalProperties": False,
                },
            ]
        }

    def _class(self, cls: type, paths: list[str], given: int) -> dict[str, Any]:
        name = f"{_definition(cls, given)}-arguments"
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self._arguments(cls, given)
        return {
            "type": "object",
            "description": _first_line(cls),
            "properties": {
                "class_path": {"enum": paths},
                "init_args": {"$ref": f"#/$defs/{name}"},
            },
            "required": ["class_path"],
            "additionalProperties": False,
        }

    def _arguments(self, cls: type, given: int) -> dict[str, Any]:
        try:
            parameters = class_parameters(cls, given)
        except Exception:  # classes of other packages may have signatures that cannot be read
            return {"type": ["object", "null"]}
        properties = {
            name: described(parameter, self.of(parameter.hint))
            for name, parameter in parameters.items()
        }
        return {
            "type": ["object", "null"],
            "properties": properties,
            "additionalProperties": False,
        }


def _definition(cls: type, given: int) -> str:
    return f"{cls.__module__}.{cls.__qualname__}" + (f"-after-{given}" if given else "")


def _choosable(base: type) -> list[tuple[type, list[str]]]:
    group = group_of(base)
    if group:
        registered = registry.load().classes
        return [
            (each.cls, list(dict.fromkeys([name, each.entry.class_path, *_paths(each.cls)])))
            for (owner, name), each in sorted(registered.items())
            if owner == group
        ]
    found = subclasses(base)
    if len(found) > CLASSES_LISTED:
        return []
    return [
        (cls, [*([name] if len(classes) == 1 else []), *_paths(cls)])
        for name, classes in sorted(found.items())
        for cls in classes
    ]


def _paths(cls: type) -> list[str]:
    # The parser writes the shortest path by which a class can be imported.
    parts = cls.__module__.split(".")
    packages = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    name = cls.__qualname__
    modules = {package: sys.modules.get(package) for package in packages}
    return [
        f"{package}.{name}"
        for package, module in modules.items()
        # Not getattr: some packages warn when an old name is looked up.
        if module is not None and vars(module).get(name) is cls
    ] or [f"{cls.__module__}.{name}"]


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").partition("\n")[0]


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_json, value))
    finite = not isinstance(value, float) or value - value == 0
    return value is None or (isinstance(value, str | int | float) and finite)
