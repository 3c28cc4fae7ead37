import math

import torch

from seqforge.attention import AdditiveAttention
from tests.attention.sources import draw


def test_scores_are_those_of_bahdanau() -> None:
    torch.manual_seed(0)
    made = AdditiveAttention(3, 5, size=4).double()
    values, queries = draw(2, 6, 5), draw(2, 2, 3, seed=1)
    scores = made.scores(queries, made.keys(values)).detach()
    weights = (made.query.weight, made.key.weight, made.key.bias, made.energy.weight)
    weigh, mapped, bias, energy = (each.detach() for each in weights)

    for row in range(2):
        for t in range(2):
            for s in range(6):
                expected = 0.0
                for unit in range(4):
                    inner = float(bias[unit])
                    inner += sum(float(weigh[unit, i] * queries[row, t, i]) for i in range(3))
                    inner += sum(float(mapped[unit, i] * values[row, s, i]) for i in range(5))
                    expected += float(energy[0, unit]) * math.tanh(inner)
                assert abs(scores[row, t, s].item() - expected) < 1e-12


def test_the_inner_width_is_that_of_queries_unless_given() -> None:
    assert AdditiveAttention(3, 5).keys(draw(1, 2, 5).float()).shape == (1, 2, 3)
    assert AdditiveAttention(3, 5, size=7).keys(draw(1, 2, 5).float()).shape == (1, 2, 7)
