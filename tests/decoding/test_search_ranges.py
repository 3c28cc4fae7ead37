"""Options of a search are refused where they are out of range, under the name they were given."""

import math
from dataclasses import dataclass
from typing import Any

import pytest

from seqforge.decoding import OptionRange, require_ranges, search_ranges
from seqforge.errors import UserError


@dataclass
class Options:
    beam_size: int = 4
    length_penalty: float = 1.0
    min_length: int = 0
    max_length: int = 0
    no_repeat_ngram: int = 0
    n_best: int = 1


def require(options: Options, prefix: str = "") -> None:
    ranges = search_ranges(options, usual=4, longest=50, otherwise="the weather")
    require_ranges(options, ranges, prefix)


@pytest.mark.parametrize(
    ("name", "value", "todo"),
    [
        ("beam_size", 0, "give a number from 1 to 1000; 4 is usual"),
        ("beam_size", 1001, "give a number from 1 to 1000; 4 is usual"),
        ("length_penalty", -0.1, "give a number from 0 (the likeliest) to 10; 1 weighs by length"),
        ("length_penalty", math.nan, "from 0"),
        ("length_penalty", 10.1, "to 10"),
        ("min_length", -1, "give a number from 0 to 50"),
        ("min_length", 51, "give a number from 0 to 50"),
        ("max_length", -1, "give a number from --min-length to 50; 0 goes by the weather"),
        ("max_length", 51, "to 50"),
        ("no_repeat_ngram", -1, "give a number of tokens; 0 allows all"),
        ("n_best", 0, "give a number from 1 to 1000"),
        ("n_best", 1001, "give a number from 1 to 1000"),
    ],
)
def test_out_of_range(name: str, value: Any, todo: str) -> None:
    with pytest.raises(UserError) as caught:
        require(Options(**{name: value}))

    assert caught.value.given == f"{name} is {value}"
    assert caught.value.where == f"--{name.replace('_', '-')}"
    assert todo in caught.value.todo


def test_what_is_in_range() -> None:
    for options in (
        Options(),
        Options(beam_size=1000, length_penalty=10.0, n_best=1000),
        Options(min_length=50, max_length=50, no_repeat_ngram=3, length_penalty=0.0),
    ):
        require(options)
    with pytest.raises(UserError, match="max_length is 4"):
        require(Options(min_length=5, max_length=4))


def test_keys_of_a_configuration() -> None:
    with pytest.raises(UserError) as caught:
        require(Options(beam_size=0), prefix="model.task.")
    assert caught.value.where == "model.task.beam_size"


def test_the_first_one_is_named() -> None:
    options = Options(beam_size=7)
    ranges = [
        OptionRange("n_best", True, ""),
        OptionRange("beam_size", False, "no"),
        OptionRange("min_length", False, "no"),
    ]
    with pytest.raises(UserError, match="beam_size is 7"):
        require_ranges(options, ranges)
