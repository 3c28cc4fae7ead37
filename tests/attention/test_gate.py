"""A gate scales what is seen by one number a step (Xu et al. 2015, section 4.2.1)."""

import torch

from seqforge.attention import AttentionDecoder, DotAttention
from seqforge.encoders import LSTM
from tests.attention.sources import draw

ROWS, TIME, WIDTH = 3, 5, 4


def test_the_context_is_scaled_and_the_weights_are_not() -> None:
    torch.manual_seed(0)
    attention = DotAttention(WIDTH, WIDTH)
    made = AttentionDecoder(LSTM(3, hidden_size=WIDTH), attention, 6, gate=True).double()
    assert made.gate is not None
    embedded, source = draw(ROWS, TIME, 3), draw(ROWS, 7, WIDTH)
    begun = made.start(attention.remember(source), source.mean(1))
    outputs, _ = made.reader(embedded, begun.reader)
    attended = attention(outputs, begun.memory.value)
    found = made(embedded, begun)
    torch.testing.assert_close(found.weights, attended.weights)
    betas = set()
    for row in range(ROWS):
        for t in range(TIME):
            query = outputs[row, t]
            beta = 1 / (1 + torch.exp(-(made.gate.weight[0] @ query + made.gate.bias[0])))
            joined = torch.cat([query, beta * attended.context[row, t]])
            expected = torch.tanh(made.combine.weight @ joined + made.combine.bias)
            torch.testing.assert_close(found.features[row, t], expected)
            betas.add(round(beta.item(), 6))
    assert len(betas) == ROWS * TIME  # each step has its own
