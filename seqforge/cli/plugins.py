"""`seqforge plugins`: encoders, tasks, data modules and more, listed without importing them."""

import sys
from collections.abc import Iterable
from typing import NamedTuple

from seqforge import discovery
from seqforge.discovery import Entry
from seqforge.errors import FAILURE, OK, UserError, closest_match

_HELP = """usage: seqforge plugins [--check]

List every encoder, task, data module and image encoder: its name, its package, what it is.

options:
  --check        import them all, show what is broken and why; the exit code is 1 if any is
  --plugins A,B  look at these modules too
  -h, --help     print this"""


class _Row(NamedTuple):
    name: str
    origin: str
    summary: str


def run(argv: list[str]) -> int:
    """List the plugins.

    Args:
        argv: The arguments after `plugins`.

    Returns:
        0, or 1 if `--check` found something broken.

    Raises:
        UserError: For an argument that is not known.
    """
    known = ("--check", "--help", "-h")
    for word in argv:
        if word not in known:
            raise UserError(
                f"seqforge plugins takes no '{word}'",
                accepted=known,
                closest=closest_match(word, known),
            )
    if "--help" in argv or "-h" in argv:
        print(_HELP)
        return OK
    _print_sections(_sections())
    if "--check" in argv:
        return _check()
    for problem in _duplicates(discovery.entries()):
        print(f"\nconflict: {problem}")
    return OK


def _sections() -> list[tuple[str, list[_Row]]]:
    sections = []
    for name, group in discovery.GROUPS.items():
        rows = [
            _Row(entry.name, entry.origin, discovery.describe(entry).summary)
            for entry in discovery.entries(name)
        ]
        sections.append((f"{group.noun}s ({group.key})", rows))
    modules = [
        _Row(module, "module", discovery.describe_module(module).summary)
        for module in discovery.plugin_modules()
    ]
    if modules:
        sections.append((f"modules (--plugins, {discovery.PLUGINS_VARIABLE})", modules))
    return sections


def _duplicates(entries: Iterable[Entry]) -> list[str]:
    owners: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        owners.setdefault((entry.group, entry.name), []).append(entry)
    return [
        f"'{name}' stands for "
        + " and ".join(f"{each.class_path} ({each.origin})" for each in same)
        + ": give the full class path"
        for (_, name), same in owners.items()
        if len({each.target for each in same}) > 1
    ]


def _print_sections(sections: list[tuple[str, list[_Row]]]) -> None:
    if sys.stdout.isatty():
        _print_tables(sections)
        return
    rows = [row for _, members in sections for row in members]
    name_width = max((len(row.name) for row in rows), default=0)
    origin_width = max((len(row.origin) for row in rows), default=0)
    for number, (title, members) in enumerate(sections):
        print(("\n" if number else "") + title)
        for row in members:
            line = f"  {row.name:<{name_width}}  {row.origin:<{origin_width}}  {row.summary}"
            print(line.rstrip())
        if not members:
            print("  none")


def _print_tables(sections: list[tuple[str, list[_Row]]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for title, members in sections:
        table = Table(title=title, title_justify="left", title_style="bold", expand=True)
        for heading, ratio in (("name", 2), ("package", 3), ("what it is", 6)):
            table.add_column(heading, ratio=ratio)
        for row in members:
            # Text: a docstring's square brackets are no markup.
            table.add_row(*(Text(part) for part in row))
        console.print(table)


def _check() -> int:
    # Here the plugins, and with them torch, are imported after all.
    from seqforge import registry

    loaded = registry.load()
    print()
    for entry in (each.entry for each in loaded.registered if not each.entry.version):
        noun = discovery.GROUPS[entry.group].noun
        print(f"found: {noun} {entry.name} of {entry.origin}")
    for entry, failure in loaded.failures.items():
        place = f" ({failure.place})" if failure.place else ""
        print(f"broken: {entry.name} of {entry.origin}: {failure.summary}{place}")
    for (_, name), owners in loaded.conflicts.items():
        print(f"conflict: '{name}' is claimed by {', '.join(each.entry.origin for each in owners)}")
    print(f"{len(loaded.registered)} usable, {len(loaded.failures)} broken")
    return FAILURE if loaded.failures or loaded.conflicts else OK
