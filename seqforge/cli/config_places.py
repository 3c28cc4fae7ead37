"""What the user gave, value by value, and where each value stands: file and line, or an option."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seqforge.errors import UserError, closest_match

COMMAND_LINE = "command line"
NOT_VALUES = ("help", "print_config")
"""Options that ask for something to be printed."""

_SIZE_LIMIT = 10_000_000


@dataclass(frozen=True)
class Node:
    """A value and its place.

    Attributes:
        value: A plain scalar, a dict of nodes or a list of nodes.
        place: `file:line`, or the command line.
    """

    value: Any
    place: str

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.value, dict):
            return {name: child.plain() for name, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def at(self, key: str) -> Node | None:
        """Return the node at a dotted key, whose `init_args` may be left out; None if not here."""
        if not key:
            return self
        children: dict[str, Node] = self.value if isinstance(self.value, dict) else {}
        for name, child in children.items():
            # A file may write several levels as one dotted key.
            if key == name or key.startswith(f"{name}."):
                found = child.at(key[len(name) + 1 :])
                if found is not None:
                    return found
        arguments = children.get("init_args")
        return arguments.at(key) if arguments is not None else None


@dataclass(frozen=True)
class Source:
    """One configuration file, or one option of the command line.

    Attributes:
        tree: Its values, a mapping from the top-level keys on.
        option: The option as it was typed; "" for a file and for a word that belongs to none.
        bare: Whether the option came without a value.
    """

    tree: Node
    option: str = ""
    bare: bool = False


def read_sources(argv: Sequence[str]) -> list[Source]:
    """Read all that a command line gives, in the order in which it applies.

    Args:
        argv: The arguments after the subcommand.

    Returns:
        The sources; a later one overrides those before it.

    Raises:
        UserError: A configuration file is missing, or is no YAML mapping; see `read_file`.
    """
    return list(_sources(argv))


def place_of(key: str, sources: Sequence[Source]) -> str:
    """Say where a key was given last, or else the nearest key above it; "" if none was."""
    while key:
        for source in reversed(sources):
            node = source.tree.at(key)
            if node is not None:
                return node.place
        key = key.rpartition(".")[0]
    return ""


def names_class(key: str, sources: Sequence[Source]) -> bool:
    """Return whether a class is named for a key: `KEY: Name`, or a `class_path` below it.

    Args:
        key: Of a value that is a class with its arguments.
        sources: What the user gave.
    """
    for source in sources:
        node = source.tree.at(key)
        if node is not None and (not isinstance(node.value, dict) or "class_path" in node.value):
            return True
    return False


def read_file(path: Path) -> Node:
    """Read a YAML file with the line of each value.

    Args:
        path: The file.

    Returns:
        The mapping that it holds.

    Raises:
        UserError: It is missing, a folder, not UTF-8, not YAML, empty or not a mapping, or it
            gives a key twice.
    """
    text = _read_text(path)
    try:
        tree = _compose(text, str(path))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        tabs = "'\\t'" in str(error.problem)
        todo = "indent with spaces, not with tabs" if tabs else "mend the file from there upwards"
        raise UserError(f"not valid YAML: {error.problem}", where=place, todo=todo) from error
    except yaml.YAMLError as error:
        raise UserError(f"not valid YAML: {error}", where=str(path)) from error
    if isinstance(tree.value, dict):
        return tree
    if tree.value is None:
        raise UserError(
            "the configuration is empty",
            where=str(path),
            todo="give at least a task and data; configs/ has examples",
        )
    kind = "a list" if isinstance(tree.value, list) else "a single value"
    raise UserError(
        f"the configuration is {kind}, not a mapping of keys",
        where=tree.place,
        todo="begin with `model:`, `data:` and `trainer:`",
    )


def option_words(argv: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Pair options with their values.

    Args:
        argv: The arguments after the subcommand.

    Yields:
        The option as it was typed, without its value, and the value; None where there is none.
        A word that belongs to no option comes as ("", word).
    """
    words = list(argv)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("--") and word not in ("-c", "-h"):
            yield "", word
        elif equals:
            yield name, value
        elif words and not words[0].startswith("--") and not _stands_alone(name):
            yield name, words.pop(0)
        else:
            yield name, None


def _stands_alone(option: str) -> bool:
    return option in ("-h", "--help", "--print_config")


def _sources(argv: Sequence[str]) -> Iterator[Source]:
    for option, value in option_words(argv):
        if not option:
            yield Source(Node(value, COMMAND_LINE))
        elif option.lstrip("-").rpartition(".")[2] in NOT_VALUES or option == "-h":
            continue
        elif value is None:
            yield Source(Node(None, COMMAND_LINE), option, bare=True)
        elif option in ("-c", "--config"):
            yield Source(_inline(value) or read_file(Path(value)))
        else:
            yield Source(_nested(option.lstrip("-"), value), option)


def _inline(value: str) -> Node | None:
    # The parser takes YAML itself in place of a file's name.
    if "\n" not in value and not value.startswith("{"):
        return None
    return _parsed(value)


def _nested(key: str, value: str) -> Node:
    node = _parsed(value)
    if key.endswith("+") and not isinstance(node.value, list):
        node = Node([node], COMMAND_LINE)
    for part in reversed(key.removesuffix("+").split(".")):
        node = Node({part: node}, COMMAND_LINE)
    return node


def _parsed(text: str) -> Node:
    try:
        tree = _compose(text, "")
    except (yaml.YAMLError, UserError):
        return Node(text, COMMAND_LINE)
    # Scalars stay as typed: the parser decides by the wanted type what `1e-3` is.
    return tree if isinstance(tree.value, dict | list) else Node(text, COMMAND_LINE)


def _compose(text: str, file: str) -> Node:
    loader = yaml.SafeLoader(text)
    try:
        return _node(loader, loader.get_single_node(), file)
    finally:
        loader.dispose()


def _node(loader: yaml.SafeLoader, node: yaml.Node | None, file: str) -> Node:
    if node is None:
        return Node(None, file or COMMAND_LINE)
    place = f"{file}:{node.start_mark.line + 1}" if file else COMMAND_LINE
    if isinstance(node, yaml.MappingNode):
        _check_duplicates(node, file)
        loader.flatten_mapping(node)
        return Node(
            {
                str(key.value): _at_key(_node(loader, value, file), key, file)
                for key, value in node.value
            },
            place,
        )
    if isinstance(node, yaml.SequenceNode):
        return Node([_node(loader, child, file) for child in node.value], place)
    if node.tag == "tag:yaml.org,2002:timestamp":
        return Node(node.value, place)  # the parser takes a date as text too
    return Node(loader.construct_object(node), place)


def _at_key(node: Node, key: yaml.Node, file: str) -> Node:
    # A block's value begins on the line after its key; readers look for the key.
    return Node(node.value, f"{file}:{key.start_mark.line + 1}" if file else COMMAND_LINE)


def _check_duplicates(node: yaml.MappingNode, file: str) -> None:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line, name = key.start_mark.line + 1, str(key.value)
        if name in lines and name != "<<":
            raise UserError(
                f"the key '{name}' stands twice, in lines {lines[name]} and {line}",
                where=f"{file}:{line}" if file else COMMAND_LINE,
                todo="keep one of them: only the last would count",
            )
        lines[name] = line


def _read_text(path: Path) -> str:
    if path.is_dir():
        found = sorted(str(file) for file in path.glob("*.y*ml"))
        raise UserError(
            f"the configuration '{path}' is a folder",
            where="--config",
            accepted=found,
            todo="name one file",
        )
    try:
        if path.stat().st_size > _SIZE_LIMIT:
            raise UserError(f"'{path}' is too large for a configuration", where="--config")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(
            f"cannot read the configuration '{path}': {error.strerror}",
            where="--config",
            closest=_closest_file(path),
            todo=f"paths start at the current folder, {os.getcwd()}",  # noqa: PTH109 - as text
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(
            f"the configuration is not UTF-8: byte {error.object[error.start]:#04x}",
            where=f"{path}:{line}",
            todo="save it as UTF-8",
        ) from error


def _closest_file(path: Path) -> str:
    files = [*path.parent.glob("*.y*ml"), *Path("configs").glob("**/*.y*ml")]
    names: dict[str, Path] = {}
    for file in files:
        names.setdefault(file.stem, file)
    match = closest_match(path.stem, names)
    return str(names[match]) if match else ""
