import math
from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.translation import Translation, TranslationOptions
from seqforge_tasks.translation.search_options import require_valid


@pytest.mark.parametrize(
    ("name", "value", "todo"),
    [
        ("beam_size", 0, "from 1 to 1000"),
        ("beam_size", 1001, "from 1 to 1000"),
        ("length_penalty", -0.1, "from 0"),
        ("length_penalty", math.nan, "from 0"),
        ("length_penalty", math.inf, "from 0"),
        ("length_penalty", 10.1, "to 10"),
        ("min_length", -1, "from 0 to 10000"),
        ("min_length", 10**12, "from 0 to 10000"),
        ("max_length", -1, "--min-length"),
        ("max_length", 10**12, "to 10000"),
        ("no_repeat_ngram", -1, "0 allows all"),
        ("n_best", 0, "from 1 to 1000"),
        ("n_best", 10**12, "from 1 to 1000"),
        ("batch_size", 0, "from 1 to 100000"),
        ("batch_size", 10**30, "from 1 to 100000"),
        ("long", "cut", "refuse or split"),
        ("precision", "fp16", "fp32 or bf16"),
    ],
)
def test_out_of_range(name: str, value: Any, todo: str) -> None:
    with pytest.raises(UserError) as caught:
        require_valid(TranslationOptions(**{name: value}))

    lines = str(caught.value).splitlines()
    assert len(lines) <= 5
    assert lines[0].startswith(f"{name} is {value}")
    assert lines[1] == f"  where: --{name.replace('_', '-')}"
    assert todo in lines[2]


def test_a_maximum_below_the_minimum() -> None:
    require_valid(TranslationOptions(min_length=5, max_length=5))
    require_valid(TranslationOptions(min_length=5))
    with pytest.raises(UserError, match="max_length is 4"):
        require_valid(TranslationOptions(min_length=5, max_length=4))


def test_the_defaults_are_right() -> None:
    require_valid(TranslationOptions())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding_size", 0),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", math.nan),
        ("label_smoothing", 1.0),
        ("label_smoothing", -0.1),
        ("scheduled_sampling", 1.1),
        ("scheduled_sampling", math.nan),
        ("beam_size", 0),
        ("length_penalty", -1.0),
    ],
)
def test_a_tasks_arguments_out_of_range(name: str, value: Any) -> None:
    with pytest.raises(UserError) as caught:
        Translation(**{name: value})

    lines = str(caught.value).splitlines()
    assert lines[0] == f"{name} is {value}"
    assert lines[1] == f"  where: model.task.{name}"
    assert lines[2].startswith("  to do: give a")
