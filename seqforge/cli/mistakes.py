"""The messages for mistakes in configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from seqforge.cli.class_names import names
from seqforge.cli.config_places import COMMAND_LINE, Node
from seqforge.cli.config_types import ClassHint, Parameter, class_hints, in_words, noun
from seqforge.errors import UserError, closest_match

CLASS_PATH, INIT_ARGS = "class_path", "init_args"
CLASS_KEYS = (CLASS_PATH, INIT_ARGS, "dict_kwargs")


def where(key: str, node: Node) -> str:
    """Name a key and the place of its value."""
    return f"{key} ({node.place})"


def shown(node: Node) -> str:
    """Return a value as text, cut when long."""
    text = repr(node.plain())
    return text if len(text) <= 60 else f"{text[:59]}…"


def stray_word(word: str, known: list[str]) -> NoReturn:
    """Raise for a word of the command line that belongs to no option.

    Raises:
        UserError: Always.
    """
    raise UserError(
        f"'{word}' belongs to no option",
        where=COMMAND_LINE,
        closest=closest_match(word.lstrip("-"), known),
        todo="options begin with --, and each takes one value",
    )


def no_class(key: str, node: Node, classes: list[ClassHint]) -> NoReturn:
    """Raise for arguments of a class that was never chosen.

    Raises:
        UserError: Always.
    """
    known = names(classes)
    misspelt = closest_match(CLASS_PATH, node.value)
    raise UserError(
        f"'{misspelt}' under {key} should be {CLASS_PATH}"
        if misspelt
        else f"{key} has arguments, but no class is chosen for it",
        where=where(key, node.value[misspelt] if misspelt else node),
        accepted=[CLASS_PATH, INIT_ARGS] if misspelt else known,
        todo=f"give `{CLASS_PATH}: {known[0] if known else 'NAME'}` under {key}, "
        f"or --{key} {known[0] if known else 'NAME'}",
    )


def check_spelling(key: str, node: Node, accepted: Mapping[str, Parameter]) -> None:
    """Raise if `class_path` or `init_args` is misspelt among a mapping's keys.

    Raises:
        UserError: If one is.
    """
    unknown = [name for name in node.value if name not in accepted]
    for right in (CLASS_PATH, INIT_ARGS):
        wrong = closest_match(right, unknown)
        if wrong:
            raise UserError(
                f"'{wrong}' is no key of {key}",
                where=where(f"{key}.{wrong}", node.value[wrong]),
                accepted=(CLASS_PATH, INIT_ARGS),
                closest=right,
                todo=f"write {right} there",
            )


def misplaced_argument(
    key: str, name: str, node: Node, cls: type, accepted: Mapping[str, Parameter]
) -> NoReturn:
    """Raise for an argument that stands beside `class_path`.

    Raises:
        UserError: Always.
    """
    if closest_match(name, (CLASS_PATH, INIT_ARGS)) and name not in accepted:
        check_spelling(key, Node({name: node}, node.place), accepted)
    meant = name if name in accepted else closest_match(name, accepted)
    example = f"{{{meant or 'NAME'}: {node.plain() if meant else 'VALUE'}}}"
    raise UserError(
        f"'{name}' stands beside {CLASS_PATH}; arguments of {cls.__name__} belong under "
        f"{INIT_ARGS}",
        where=where(f"{key}.{name}", node),
        accepted=accepted,
        closest=f"{key}.{INIT_ARGS}.{meant}" if meant else "",
        todo=f"write `{INIT_ARGS}: {example}` under {key}",
    )


def unknown_argument(
    key: str, name: str, node: Node, cls: type, accepted: Mapping[str, Parameter], owner: str
) -> NoReturn:
    """Raise for an argument that the chosen class does not have.

    Raises:
        UserError: Always.
    """
    closest = closest_match(name, accepted)
    lister = "" if "[" in owner or owner.count(".") > 1 else f"--{owner}.help {cls.__name__}"
    raise UserError(
        f"{cls.__name__} has no argument '{name}'",
        where=where(key, node),
        accepted=accepted or ["nothing"],
        closest=key.removesuffix(name) + closest if closest else "",
        todo=f"seqforge fit {lister} explains them" if lister else "mend the name",
    )


def missing_key(key: str, parameter: Parameter) -> NoReturn:
    """Raise for a key that must be given and is not.

    Raises:
        UserError: Always.
    """
    classes = class_hints(parameter.hint)
    known = names(classes) if classes else in_words(parameter.hint)
    what = noun(classes[0].base) if classes else "value"
    # Of several classes none is to be preferred: which one fits is for the user to say.
    example = (known[0] if len(known) == 1 else "NAME") if classes and known else "VALUE"
    group, _, last = key.rpartition(".")
    line = f"{last}: {{{CLASS_PATH}: {example}}}" if classes else f"{last}: {example}"
    under = f" under `{group}:`" if group else ""
    raise UserError(
        f"no {what} is given",
        where=key,
        accepted=known,
        todo=f"write `{line}`{under}, or --{key} {example}",
    )
