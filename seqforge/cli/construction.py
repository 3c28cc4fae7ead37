"""Names the key of the configuration whose class could not be constructed."""

from __future__ import annotations

import pydoc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, get_origin

from lightning_fabric.utilities.exceptions import MisconfigurationException

from seqforge.cli.config_places import Source, place_of
from seqforge.cli.config_types import class_parameters, in_words, members
from seqforge.errors import UserError

REFUSALS = (ValueError, MisconfigurationException, ModuleNotFoundError)
"""What constructors raise about their arguments; anything else is a bug and keeps its traceback."""


class Construction:
    """Constructs configured classes, and remembers the first one that refused its arguments.

    The parser catches what a constructor raises where the type is a union, and says something
    long about all its members: what was really raised is kept here.

    Args:
        sources: What was given, to say in which file and line.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._config: Mapping[str, Any] = {}
        self._groups: dict[type, str] = {}
        self._refusal: UserError | None = None

    def add_group(self, cls: type, key: str) -> None:
        """Say under which key a class is configured that is not chosen by name."""
        self._groups[cls] = key

    def __call__(self, cls: type, *args: Any, **kwargs: Any) -> Any:
        """Construct, as the parser's instantiator: now, or later if it is a factory's product.

        Raises:
            UserError: The constructor refused its arguments.
        """
        try:
            return cls(*args, **kwargs)
        except UserError as error:
            self._refusal = self._refusal or self.located(error)
            raise
        except REFUSALS as error:
            key = self._key(cls, kwargs)
            refusal = self._explained(error, key, cls.__name__, kwargs)
            self._refusal = self._refusal or refusal
            raise refusal from error

    @contextmanager
    def explained(self, config: Mapping[str, Any]) -> Iterator[None]:
        """Construct all that is configured inside this block.

        Args:
            config: The parsed configuration.

        Raises:
            UserError: A constructor refused its arguments; it names the key.
        """
        as_dict = getattr(config, "as_dict", None)  # the parser's own mapping flattens its keys
        self._config, self._refusal = as_dict() if as_dict else config, None
        try:
            for key, path, arguments in _classes(self._config):
                self._require_values(key, pydoc.locate(path), arguments)
            yield
        except Exception:
            if self._refusal is not None:
                raise self._refusal from self._refusal.__cause__
            raise

    @contextmanager
    def of(
        self, key: str, name: str, refusals: tuple[type[Exception], ...] = REFUSALS
    ) -> Iterator[None]:
        """Name a key in what is raised about the arguments of something that is made here.

        Args:
            key: The key.
            name: What is made.
            refusals: What it raises about its arguments.

        Raises:
            UserError: It was refused.
        """
        try:
            yield
        except UserError as error:
            raise self.located(error) from error.__cause__
        except refusals as error:
            values = self._config.get(key) or {}
            raise self._explained(error, key, name, dict(values)) from error

    def _require_values(self, key: str, cls: Any, arguments: Mapping[str, Any]) -> None:
        # The parser lets null through whatever the type, and constructors trust their types.
        for name in [each for each, value in arguments.items() if value is None]:
            parameter = class_parameters(cls).get(name) if isinstance(cls, type) else None
            if parameter is None or (parameter.default is None and not parameter.required):
                continue
            if all(map(_is_plain, members(parameter.hint))):
                raise UserError(
                    f"{key}.{name} cannot be null",
                    where=self._place(f"{key}.{name}"),
                    accepted=in_words(parameter.hint),
                    todo="give a value of the accepted kind",
                )

    def _explained(
        self, error: Exception, key: str, name: str, arguments: Mapping[str, Any]
    ) -> UserError:
        text = " ".join(str(error).split()) or type(error).__name__
        argument = self._argument(text, key, arguments)
        full_key = f"{key}.{argument}" if argument else key
        if isinstance(error, ModuleNotFoundError):
            todo = f"install it, or choose something else for {key}"
        else:
            todo = f"change {full_key}"
        return UserError(f"{name} refuses: {text}", where=self._place(full_key), todo=todo)

    def _argument(self, text: str, key: str, arguments: Mapping[str, Any]) -> str:
        # Messages name the argument, or at least show its value; what the user gave comes first.
        words = re.findall(r"[\w.-]+", text)
        named = [word for word in words if word in arguments]
        shown = [each for each, value in arguments.items() if str(value) in words]
        given = [each for each in (*named, *shown) if self._is_given(f"{key}.{each}")]
        return next(iter([*given, *named]), "")

    def _is_given(self, key: str) -> bool:
        return any(source.tree.at(key) is not None for source in self._sources)

    def located(self, error: UserError) -> UserError:
        """Add file and line, where the key that an error names was given in a file."""
        key = error.where
        if not key or " " in key:
            return error
        words = re.findall(r"\w+", error.given)
        named = [f"{key}.{word}" for word in words if self._is_given(f"{key}.{word}")]
        key = next(iter(named), key)
        error.where = self._place(key)
        error.todo = error.todo or f"change {key}"
        return error

    def _place(self, key: str) -> str:
        place = place_of(key, self._sources)
        return f"{key} ({place})" if place else key

    def _key(self, cls: type, arguments: Mapping[str, Any]) -> str:
        if cls in self._groups:
            return self._groups[cls]
        candidates = list(_nodes(self._config, cls.__name__))
        # Several keys may have chosen one class: its arguments tell them apart.
        candidates.sort(key=lambda found: -_shared(found[1], arguments))
        return candidates[0][0] if candidates else cls.__name__


def _is_plain(hint: Any) -> bool:
    return hint in (int, float, bool, str) or get_origin(hint) is Literal


def _classes(config: Any, key: str = "") -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Find all classes that are configured: their key, their path and their arguments."""
    if isinstance(config, list):
        for number, child in enumerate(config):
            yield from _classes(child, f"{key}[{number}]")
    if not hasattr(config, "get") or not hasattr(config, "keys"):
        return
    if isinstance(config.get("class_path"), str):
        yield key, config["class_path"], config.get("init_args") or {}
    for part in list(config.keys()):
        inner = key if part == "init_args" else f"{key}.{part}".lstrip(".")
        yield from _classes(config.get(part), inner)


def _nodes(config: Any, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, path, arguments in _classes(config):
        if path.rpartition(".")[2] == name:
            yield key, arguments


def _shared(configured: Mapping[str, Any], arguments: Mapping[str, Any]) -> int:
    return sum(configured.get(name) == value for name, value in arguments.items())
