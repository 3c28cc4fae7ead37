import pytest

from seqforge.attention import DotAttention
from seqforge.errors import UserError
from tests.attention.sources import draw


def test_scores_are_products_and_nothing_is_learnt() -> None:
    made = DotAttention(3, 3)
    values, queries = draw(2, 4, 3), draw(2, 2, 3, seed=1)
    scores = made.scores(queries, made.keys(values)).detach()

    assert list(made.parameters()) == []
    for row in range(2):
        for t in range(2):
            for s in range(4):
                expected = sum(float(queries[row, t, i] * values[row, s, i]) for i in range(3))
                assert scores[row, t, s].item() == pytest.approx(expected, abs=1e-12)


def test_unequal_sizes_are_refused() -> None:
    with pytest.raises(UserError) as caught:
        DotAttention(256, 512)

    lines = str(caught.value).splitlines()
    assert len(lines) <= 5
    assert "queries of 256 features with a source of 512" in lines[0]
    assert "model.task.attention" in lines[1]
    assert "general or additive" in lines[-1]
