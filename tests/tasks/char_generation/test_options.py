"""Options of writing and scoring: which values are refused, and what is said then."""

import math
from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.char_generation import GenerationOptions
from tests.tasks.char_generation.networks import byte_task, task

TINY = task()


@pytest.mark.parametrize(
    "options",
    [
        {"length": -1},
        {"length": 10**9 + 1},
        {"length": 10**4000},
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"top_k": -1},
        {"top_p": -0.1},
        {"top_p": 1.01},
        {"top_p": math.nan},
        {"seed": -1},
        {"seed": 2**63 - 1},
        {"samples": 0},
        {"stop": "a\tb"},
        {"unknown": "ignore"},
        {"engine": "int4"},
        {"prompt": "a"},
        {"midi": "out.mid", "score": True},
    ],
)
def test_options_out_of_range(options: dict[str, Any]) -> None:
    made = GenerationOptions(**options)
    for call in (
        lambda: next(TINY.infer(["a"], made)),
        lambda: TINY.generate("a", made),
        lambda: TINY.stream("a", made),
    ):
        with pytest.raises(UserError) as caught:
            call()

        name = next(iter(options)).replace("_", "-")
        assert caught.value.where == f"--{name}"
        assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize(
    "options",
    [
        {"length": 0},
        {"temperature": 0.0},
        {"top_k": 10**9},
        {"top_p": 0.0},
        {"seed": 2**63 - 2},
        {"stop": "a\n"},
    ],
)
def test_options_at_the_ends_of_their_range(options: dict[str, Any]) -> None:
    assert TINY.generate("a", GenerationOptions(**{"length": 3} | options))


def test_a_network_of_bytes_can_be_stopped_by_any_string() -> None:
    assert byte_task().generate("a", GenerationOptions(3, stop="\tÄ"))


def test_a_score_has_no_third_way_with_unknown_characters() -> None:
    with pytest.raises(UserError, match="did you mean: refuse"):
        TINY.score("a", unknown="refused")  # type: ignore[arg-type]
