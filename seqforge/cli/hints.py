"""Turns the parser's errors into messages that a human can act on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, Namespace
from pytorch_lightning.cli import LightningArgumentParser

from seqforge.cli.config_places import Source, read_sources
from seqforge.errors import UserError

GROUPS = ("trainer", "model", "checkpoint", "early_stopping", "samples")
"""Keys that are mappings of further keys."""

# Lines of the parser's messages that tell a user nothing.
_NOISE = re.compile(r"^(Does not validate against|Subtypes:|Errors:|Given value type:)")


class HintingParser(LightningArgumentParser):
    """Lightning's parser with errors of at most five lines and without abbreviated options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allow_abbrev = False

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise a `UserError` for a parsing error."""
        raise UserError(essentials(message)) from ex


def parse(
    parser: ArgumentParser, argv: Sequence[str], sources: Sequence[Source] | None = None
) -> Namespace:
    """Parse a subcommand with its arguments, and explain it well where that fails.

    Args:
        parser: The parser of all subcommands.
        argv: The subcommand and its arguments.
        sources: What `read_sources` found in the arguments; None: it is read here.

    Returns:
        The parsed configuration.

    Raises:
        UserError: Something that was given is not accepted, or something is missing.
    """
    if sources is None:
        sources = read_sources(argv[1:])
    try:
        parsed = parser.parse_args(list(argv))
        _require_groups(parsed[argv[0]], sources)
    except Exception:
        # Whatever it was: if there is a mistake in what was given, that is the news. Only now, as
        # most commands have no mistake and need none of this.
        from seqforge.cli.config_types import parser_parameters
        from seqforge.cli.diagnosis import Diagnosis

        Diagnosis(parser_parameters(_chosen(parser, argv[0])), sources).check(argv[1:])
        raise
    return parsed


def _require_groups(parsed: Namespace, sources: Sequence[Source]) -> None:
    # The parser takes a single value in place of all keys of a group.
    for source in sources:
        for name in source.tree.value if isinstance(source.tree.value, dict) else ():
            if name in GROUPS and not isinstance(parsed.get(name), Namespace):
                raise UserError(f"{name} is not a mapping", where=name)


def essentials(message: str) -> str:
    """Cut a message of the parser down to what a user can use: two lines' worth at most."""
    lines = [line.strip(" -") for line in message.splitlines()]
    kept = dict.fromkeys(line for line in lines if line and not _NOISE.match(line))
    return " ".join(list(kept)[:3])


def _chosen(parser: ArgumentParser, subcommand: str) -> ArgumentParser:
    for action in parser._actions:
        if isinstance(action.choices, dict) and subcommand in action.choices:
            found: ArgumentParser = action.choices[subcommand]
            return found
    return parser
