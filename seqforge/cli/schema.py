"""`seqforge schema`: the JSON Schema of configurations, for completion and checks in editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser
from pytorch_lightning.cli import LightningArgumentParser

from seqforge.cli.config_types import Parameter, parser_parameters
from seqforge.cli.fit import SeqforgeCLI
from seqforge.cli.schema_types import TypeSchemas, described
from seqforge.errors import OK, UserError, closest_match
from seqforge.registry import load as load_registry

_HELP = """usage: seqforge schema [--output FILE]

Print the JSON Schema of configurations. It knows every encoder, task, data module and
image encoder that is installed, with its arguments: run it again after installing a plugin.

options:
  --output FILE  write it there
  --plugins A,B  also know these modules' encoders, tasks, data modules and the like
  -h, --help     print this

examples:
  seqforge schema > schema.json"""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def run(argv: list[str]) -> int:
    """Print the schema, or write it to a file.

    Args:
        argv: The arguments after `schema`.

    Returns:
        The exit code.

    Raises:
        UserError: An argument is not known, or the file cannot be written.
    """
    if "--help" in argv or "-h" in argv:
        print(_HELP)
        return OK
    output = _output(argv)
    load_registry(require_modules=True)
    text = json.dumps(configuration_schema(fit_parser()), indent=2, ensure_ascii=False)
    if not output:
        print(text)
        return OK
    try:
        Path(output).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write '{output}': {error.strerror}",
            where="--output",
            todo="give a file in a folder that exists",
        ) from error
    return OK


def configuration_schema(parser: ArgumentParser) -> dict[str, Any]:
    """Describe what a parser accepts in configuration files.

    Nothing is required: one configuration may be spread over several files.

    Args:
        parser: A subcommand's parser.

    Returns:
        A JSON Schema, draft 2020-12.
    """
    types = TypeSchemas()
    root: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    for parameter in parser_parameters(parser).values():
        _put(root, parameter, types)
    return {
        "$schema": DIALECT,
        "title": "A configuration of seqforge",
        **root,
        "$defs": dict(sorted(types.definitions.items())),
    }


def fit_parser() -> ArgumentParser:
    """Make the parser of `seqforge fit` and parse nothing."""
    try:
        _ParserOnly(["fit"])
    except _ParserMade as made:
        return made.parser
    raise AssertionError("the command line was made without parsing")


class _ParserMade(Exception):
    def __init__(self, parser: ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


class _ParserOnly(SeqforgeCLI):
    """Stops where the parser is complete: Lightning's constructor offers no way to make it only."""

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        for action in parser._actions:
            if isinstance(action.choices, dict):
                raise _ParserMade(action.choices["fit"])


def _put(root: dict[str, Any], parameter: Parameter, types: TypeSchemas) -> None:
    *groups, last = parameter.name.split(".")
    node = root
    for name in groups:
        empty = {"type": ["object", "null"], "properties": {}, "additionalProperties": False}
        node = node["properties"].setdefault(name, empty)
    node["properties"][last] = described(parameter, types.of(parameter.hint))


def _output(argv: list[str]) -> str:
    words = [part for word in argv for part in word.split("=", 1)]
    if not words:
        return ""
    if words[0] != "--output":
        raise UserError(
            f"seqforge schema takes no '{words[0]}'",
            accepted=("--output", "--help"),
            closest=closest_match(words[0], ("--output", "--help")),
        )
    if len(words) != 2 or not words[1]:
        raise UserError("--output takes one file", todo="write --output schema.json")
    return words[1]
