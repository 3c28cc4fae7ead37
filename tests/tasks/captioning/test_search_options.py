import math
from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.captioning.search_options import CaptioningOptions, require_valid


@pytest.mark.parametrize(
    ("name", "value", "todo"),
    [
        ("beam_size", 0, "from 1 to 1000; 3 is usual"),
        ("length_penalty", math.nan, "from 0"),
        ("min_length", 1001, "from 0 to 1000"),
        ("max_length", 1001, "to 1000; 0 goes by the captions of training"),
        ("no_repeat_ngram", -1, "0 allows all"),
        ("n_best", 0, "from 1 to 1000"),
        ("batch_size", 0, "from 1 to 100000"),
        ("format", "xml", "text or jsonl"),
    ],
)
def test_out_of_range(name: str, value: Any, todo: str) -> None:
    with pytest.raises(UserError) as caught:
        require_valid(CaptioningOptions(**{name: value}))

    lines = str(caught.value).splitlines()
    assert len(lines) <= 5
    assert lines[0].startswith(f"{name} is {value}")
    assert lines[1] == f"  where: --{name.replace('_', '-')}"
    assert todo in lines[2]


def test_the_defaults_are_right() -> None:
    require_valid(CaptioningOptions())
