"""Values of captioning data that are refused."""

from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.image_captions import ImageCaptions


@pytest.mark.parametrize(
    ("options", "where", "message"),
    [
        ({"batch_size": 0}, "data.batch_size", "batch_size is 0"),
        ({"image_size": 0}, "data.image_size", "cannot be 0 pixels"),
        ({"fit": "crob"}, "data.fit", "'crob'"),
        ({"vocabulary": "word"}, "data.vocabulary", "vocabulary is 'word'"),
        ({"vocabulary_size": 4}, "data.vocabulary_size", "vocabulary_size is 4"),
        ({"min_count": 0}, "data.min_count", "min_count is 0"),
        ({"max_length": 0}, "data.max_length", "max_length is 0"),
        ({"width": 0}, "data.width", "width is 0"),
        ({"vocabulary": "subwords", "min_count": 2}, "data.min_count", "is one of subwords"),
        ({"num_workers": -1}, "data.num_workers", "num_workers is -1"),
        ({"on_error": "skipp"}, "data.on_error", "on_error is 'skipp'"),
        ({"select": 0}, "data.select", "select is 0"),
        ({"select": 1.5}, "data.select", "select is 1.5"),
        ({"select": float("nan")}, "data.select", "select is nan"),
        ({"report": -0.1}, "data.report", "report is -0.1"),
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, Any], where: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        ImageCaptions("album", **options)

    assert message in str(raised.value)
    assert raised.value.where == where
    assert len(str(raised.value).splitlines()) <= 5


def test_a_near_name_is_proposed() -> None:
    with pytest.raises(UserError) as raised:
        ImageCaptions("album", vocabulary="word")  # type: ignore[arg-type]

    assert raised.value.closest == "words"
