"""Options of translation data that are refused."""

from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.translation.parallel.options import PairOptions


@pytest.mark.parametrize(
    ("changes", "message", "where"),
    [
        ({"target": "en"}, "source and target are both 'en'", "data.source, data.target"),
        ({"source": " "}, "source is ' '", "data.source"),
        ({"vocabulary": "unigrams"}, "no vocabulary 'unigrams'", "data.vocabulary"),
        ({"vocabulary_size": 4}, "vocabulary_size is 4", "data.vocabulary_size"),
        ({"max_ratio": 0.0}, "max_ratio is 0.0", "data.max_ratio"),
        ({"max_length": 0}, "max_length is 0", "data.max_length"),
        ({"max_tokens": 3}, "max_tokens is 3", "data.max_tokens"),
        ({"sampling": 1.5}, "sampling is 1.5", "data.sampling"),
        ({"vocabulary": "words", "sampling": 0.1}, "one of words", "data.sampling"),
        ({"vocabulary": "words", "byte_fallback": True}, "one of words", "data.byte_fallback"),
        ({"vocabulary": "char", "sampling": 0.1}, "characters cannot be cut", "data.sampling"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str, where: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        PairOptions(**{"source": "en", "target": "fr", **changes})

    assert caught.value.where == where
    assert len(str(caught.value).splitlines()) <= 5
