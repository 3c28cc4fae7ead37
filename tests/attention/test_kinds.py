from typing import get_args

import pytest

from seqforge.attention import (
    AdditiveAttention,
    Attention,
    AttentionKind,
    DotAttention,
    GeneralAttention,
    make_attention,
)
from seqforge.attention.kinds import KINDS
from seqforge.errors import UserError


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("additive", AdditiveAttention), ("dot", DotAttention), ("general", GeneralAttention)],
)
def test_names(kind: str, expected: type[Attention]) -> None:
    made = make_attention(kind, 4, 4)

    assert type(made) is expected
    assert (made.query_size, made.value_size) == (4, 4)


def test_the_type_lists_all_names() -> None:
    assert set(get_args(AttentionKind)) == set(KINDS)


def test_an_unknown_name() -> None:
    with pytest.raises(UserError) as caught:
        make_attention("aditive", 4, 4)

    lines = str(caught.value).splitlines()
    assert len(lines) <= 5
    assert "'aditive'" in lines[0]
    assert "  accepted: additive, dot, general" in lines
    assert "  did you mean: additive" in lines
