import pytest
import torch

from seqforge.attention import GeneralAttention
from tests.attention.sources import draw


def test_scores_are_bilinear() -> None:
    torch.manual_seed(0)
    made = GeneralAttention(3, 5).double()
    values, queries = draw(2, 4, 5), draw(2, 2, 3, seed=1)
    scores = made.scores(queries, made.keys(values)).detach()
    weight = made.key.weight.detach()

    for row in range(2):
        for t in range(2):
            for s in range(4):
                expected = sum(
                    float(queries[row, t, i] * weight[i, j] * values[row, s, j])
                    for i in range(3)
                    for j in range(5)
                )
                assert scores[row, t, s].item() == pytest.approx(expected, abs=1e-12)
