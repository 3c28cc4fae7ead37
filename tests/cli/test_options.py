"""A task's options on the command line."""

import argparse
import dataclasses
from typing import Any, Literal

import pytest

from seqforge.cli.options import add_options, read_options


@dataclasses.dataclass
class Options:
    """Every kind of option.

    Attributes:
        beam_size: Share kept, at most 100 % of all.
        name: A name.
        ratio: A ratio.
        echo: On by default.
        quiet: Off by default.
        widths: Several numbers.
        mode: One of two.
        limit: A limit, or none.
    """

    beam_size: int = 4
    name: str = "a b"
    ratio: float = 0.5
    echo: bool = True
    quiet: bool = False
    widths: list[int] = dataclasses.field(default_factory=lambda: [1, 2])
    mode: Literal["fast", "exact"] = "fast"
    limit: int | None = None


def parser(options: type = Options) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    made.add_argument("inputs", nargs="*")
    add_options(made, options, "Task")
    return made


def read(*argv: str) -> Any:
    return read_options(Options, parser().parse_args(argv))


def test_defaults() -> None:
    assert read() == Options()


def test_all_kinds() -> None:
    words = "--beam-size 5 --name x --ratio 1e-3 --no-echo --quiet --widths 3 4 5 --mode exact"

    options = read(*words.split(), "--limit", "7")

    assert options == Options(5, "x", 1e-3, False, True, [3, 4, 5], "exact", 7)


def test_help_shows_texts_and_defaults() -> None:
    text = " ".join(parser().format_help().split())

    assert "--beam-size INT Share kept, at most 100 % of all. (default: 4)" in text
    assert "--mode {fast,exact}" in text


def test_names_that_are_taken() -> None:
    taken = dataclasses.make_dataclass("Taken", [("inputs", int, 1)])

    with pytest.raises(TypeError, match=r"Taken\.inputs: `infer` has that name"):
        parser(taken)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (("pairs", dict[str, int], dataclasses.field(default_factory=dict)), "cannot be given"),
        (("needed", int), "needs a default"),
    ],
)
def test_fields_that_no_option_can_have(field: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        parser(dataclasses.make_dataclass("Odd", [field]))
