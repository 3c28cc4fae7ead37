"""Finds the user's mistake in a configuration that the parser has refused.

The parser's own messages name neither file nor key in many cases, and change between versions. So
they are not read: what the user gave is walked again, value by value, beside what is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ArgumentParser

from seqforge.cli.class_names import resolve
from seqforge.cli.config_places import COMMAND_LINE, Node, Source, option_words, read_file
from seqforge.cli.config_types import (
    ClassHint,
    Parameter,
    choices,
    class_hints,
    class_parameters,
    element_hints,
    in_words,
    members,
    value_hints,
)
from seqforge.cli.mistakes import (
    CLASS_KEYS,
    CLASS_PATH,
    INIT_ARGS,
    check_spelling,
    misplaced_argument,
    missing_key,
    no_class,
    shown,
    stray_word,
    unknown_argument,
    where,
)
from seqforge.errors import UserError, closest_match

PRINTING = ("config", "help", "print_config")

Chosen = tuple[type, ClassHint]


class Diagnosis:
    """Walks all that was given until it meets a mistake.

    Args:
        parameters: What is accepted, by dotted key.
        sources: What was given, in order.
    """

    def __init__(self, parameters: Mapping[str, Parameter], sources: Sequence[Source]) -> None:
        self._parameters = parameters
        self._sources = sources
        self._chosen: dict[str, Chosen] = {}
        self._given: dict[str, set[str]] = {}
        self._option = False

    def check(self, argv: Sequence[str]) -> None:
        """Look for the first mistake.

        Args:
            argv: The arguments after the subcommand, for options that only print.

        Raises:
            UserError: A mistake was found.
        """
        for source in self._sources:
            self._option = bool(source.option)
            if source.bare:
                self._bare(source.option)
            elif isinstance(source.tree.value, dict):
                self._mapping("", source.tree)
            else:
                stray_word(str(source.tree.value), [f"--{key}" for key in self._children("")])
        self._help_options(argv)
        self._missing()

    # -- keys ---------------------------------------------------------------------------------

    def _children(self, prefix: str) -> list[str]:
        start = f"{prefix}." if prefix else ""
        keys = [key.removeprefix(start) for key in self._parameters if key.startswith(start)]
        found = dict.fromkeys(start + key.partition(".")[0] for key in keys)
        return [*found, *(PRINTING if not prefix and self._option else ())]

    def _mapping(self, prefix: str, node: Node) -> None:
        for full_name, full_child in node.value.items():
            name, _, rest = full_name.partition(".")
            child = Node({rest: full_child}, full_child.place) if rest else full_child
            key = f"{prefix}.{name}" if prefix else name
            if key in self._parameters:
                self._given.setdefault("", set()).add(key)
                parameter = self._parameters[key]
                self._value(key, child, parameter.hint, parameter.default)
            elif any(known.startswith(f"{key}.") for known in self._parameters):
                self._group(key, child)
            elif key not in PRINTING:
                self._unknown_key(key, prefix, child)

    def _group(self, key: str, node: Node) -> None:
        if isinstance(node.value, str) and Path(node.value).is_file():
            node = read_file(Path(node.value))
        if isinstance(node.value, dict):
            self._mapping(key, node)
            return
        nothing = node.value is None
        raise UserError(
            f"nothing stands under {key}" if nothing else f"{key} is {shown(node)}, not a mapping",
            where=where(key, node),
            accepted=[each.removeprefix(f"{key}.") for each in self._children(key)],
            todo=f"write what belongs to {key} below it, indented"
            + (", or take its line away" if nothing else ""),
        )

    def _unknown_key(self, key: str, prefix: str, node: Node) -> NoReturn:
        siblings = self._children(prefix)
        closest = closest_match(key, siblings)
        if not closest:
            # Perhaps the right name, but in another place.
            lasts = {known.rpartition(".")[2]: known for known in reversed([*self._parameters])}
            last = key.rpartition(".")[2]
            closest = lasts.get(last) or lasts.get(closest_match(last, lasts), "")
        dashes = "--" if self._option else ""
        within = f" under {prefix}" if prefix else ""
        raise UserError(
            f"there is no {'option' if dashes else 'key'} '{dashes}{key}'",
            where=where(key, node),
            accepted=[each.rpartition(".")[2] for each in siblings],
            closest=f"{dashes}{closest}" if closest else "",
            todo=f"use a name that is accepted{within}; seqforge fit --help explains them all",
        )

    def _bare(self, option: str) -> NoReturn:
        key = option.lstrip("-").removesuffix("+")
        known = [f"--{each}" for each in [*self._parameters, *PRINTING]]
        if f"--{key}" not in known:
            self._unknown_key(key, key.rpartition(".")[0], Node(None, COMMAND_LINE))
        accepted = in_words(self._parameters[key].hint) if key in self._parameters else []
        raise UserError(
            f"the option {option} has no value",
            where=COMMAND_LINE,
            accepted=accepted,
            todo=f"write {option} VALUE",
        )

    # -- values -------------------------------------------------------------------------------

    def _value(self, key: str, node: Node, hint: Any, default: Any = None) -> None:
        value, classes = node.value, class_hints(hint)
        if isinstance(value, dict) and classes:
            self._class_mapping(key, node, classes, default, in_list=bool(element_hints(hint)))
        elif isinstance(value, dict) and value_hints(hint):
            for name, child in value.items():
                self._value(f"{key}.{name}", child, value_hints(hint)[0])
        elif isinstance(value, list) and element_hints(hint):
            for number, child in enumerate(value):
                self._value(f"{key}[{number}]", child, element_hints(hint)[0])
        elif isinstance(value, str) and classes and Path(value).is_file():
            self._value(key, read_file(Path(value)), hint, default)
        elif not _accepts(hint, node.plain()):
            self._refused(key, node, hint, classes)
        elif isinstance(value, str) and classes:
            # A word that is accepted as such need not be a class: trainer.accelerator, say.
            with suppress(UserError) if str in members(hint) else nullcontext():
                self._choose(key, value, classes, node)

    def _refused(self, key: str, node: Node, hint: Any, classes: list[ClassHint]) -> None:
        if isinstance(node.value, str) and classes:
            self._choose(key, node.value, classes, node)
            return
        raise UserError(
            f"{key} cannot be {shown(node)}",
            where=where(key, node),
            accepted=in_words(hint),
            closest=closest_match(str(node.value), choices(hint)),
            todo="give a value of the accepted kind",
        )

    def _choose(self, key: str, name: str, classes: list[ClassHint], node: Node) -> Chosen | None:
        chosen = resolve(name, classes, where(key, node))
        if chosen is not None:
            self._chosen[key] = chosen
            self._given.setdefault(key, set())
        else:
            self._chosen.pop(key, None)
        return chosen

    # -- classes and their arguments ----------------------------------------------------------

    def _class_mapping(
        self, key: str, node: Node, classes: list[ClassHint], default: Any, in_list: bool
    ) -> None:
        named = node.value.get(CLASS_PATH)
        chosen = self._chosen.get(key) or _default_class(default, classes)
        if named is not None:
            if not isinstance(named.value, str):
                self._refused(f"{key}.{CLASS_PATH}", named, str, [])
            chosen = self._choose(key, named.value, classes, named)
            if chosen is None:
                return
        if chosen is None:
            if not in_list:  # what has no class_path in a list goes to the list's last class
                no_class(key, node, classes)
            return
        accepted = class_parameters(chosen[0], chosen[1].given)
        if named is None and INIT_ARGS not in node.value:
            check_spelling(key, node, accepted)
            self._arguments(key, node, chosen[0], accepted)
            return
        for name, child in node.value.items():
            if name not in CLASS_KEYS:
                misplaced_argument(key, name, child, chosen[0], accepted)
        arguments = node.value.get(INIT_ARGS)
        if arguments is not None:
            self._arguments(f"{key}.{INIT_ARGS}", arguments, chosen[0], accepted)

    def _arguments(
        self, key: str, node: Node, cls: type, accepted: Mapping[str, Parameter]
    ) -> None:
        if node.value is None:
            return
        if not isinstance(node.value, dict):
            raise UserError(
                f"{key} is {shown(node)}, not a mapping",
                where=where(key, node),
                accepted=accepted,
                todo=f"write the arguments of {cls.__name__} as `name: value`",
            )
        owner = key.removesuffix(f".{INIT_ARGS}")
        for full_name, full_child in node.value.items():
            name, _, rest = full_name.partition(".")
            child = Node({rest: full_child}, full_child.place) if rest else full_child
            if name not in accepted:
                unknown_argument(f"{key}.{name}", name, child, cls, accepted, owner)
            self._given.setdefault(owner, set()).add(name)
            self._value(f"{key}.{name}", child, accepted[name].hint, accepted[name].default)

    # -- what is missing, and what only prints ------------------------------------------------

    def _missing(self) -> None:
        given = self._given.get("", set())
        for key, parameter in self._parameters.items():
            if parameter.required and key not in given:
                missing_key(key, parameter)
        for key, (cls, hint) in self._chosen.items():
            for name, parameter in class_parameters(cls, hint.given).items():
                if parameter.required and name not in self._given.get(key, set()):
                    raise UserError(
                        f"{cls.__name__} needs '{name}'",
                        where=f"{key}.{INIT_ARGS}",
                        accepted=in_words(parameter.hint),
                        todo=f"write `{name}: VALUE` there, or --{key}.{name} VALUE",
                    )

    def _help_options(self, argv: Sequence[str]) -> None:
        for option, value in option_words(argv):
            key, _, last = option.lstrip("-").rpartition(".")
            if last == "help" and key in self._parameters and value:
                hints = class_hints(self._parameters[key].hint)
                resolve(value, hints, f"{option} ({COMMAND_LINE})")


def _accepts(hint: Any, value: Any) -> bool:
    if hint is None:
        return True
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--value", type=hint, sub_configs=True)
    try:
        parser.parse_object({"value": value})
    except Exception:  # whatever a type's own conversion raises means no
        return False
    return True


def _default_class(default: Any, classes: list[ClassHint]) -> Chosen | None:
    path = default if isinstance(default, str) else None
    if path is None and hasattr(default, "get"):
        path = default.get(CLASS_PATH)
    if isinstance(default, type):
        path = f"{default.__module__}.{default.__qualname__}"
    try:
        return resolve(path, classes, "") if path else None
    except UserError:
        return None
