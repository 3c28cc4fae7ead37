"""A decoder without attention knows its source from the state it starts from, and steps alike."""

import torch

from seqforge.attention import AttentionDecoder, NoAttention
from seqforge.encoders import GRU
from tests.attention.sources import draw


def test_there_is_nothing_to_see() -> None:
    attention = NoAttention(5)
    found = attention(draw(3, 4, 5), attention.nothing(draw(3, 7)))
    assert found.context.shape == (3, 4, 0)
    assert found.weights.shape == (3, 4, 0)
    assert not list(attention.parameters())


def test_a_decoder_reads_alike_at_once_and_by_its_stepper() -> None:
    torch.manual_seed(0)
    attention = NoAttention(4)
    decoder = AttentionDecoder(GRU(3, hidden_size=4), attention, 6, context_size=2).double()
    source, embedded = draw(3, 2), draw(3, 5, 3)
    begun = decoder.start(attention.nothing(source), source)
    outputs, _ = decoder.reader(embedded, begun.reader)
    expected = torch.tanh(decoder.combine(outputs))  # of the reader's outputs alone
    torch.testing.assert_close(decoder(embedded, begun).features, expected)
    stepper = decoder.stepper()
    state = stepper.begin(begun)
    for t in range(5):
        features, weights, state = stepper(embedded[:, t], state)
        torch.testing.assert_close(features, expected[:, t])
        assert weights.shape == (3, 0)
    other = decoder(embedded, decoder.start(attention.nothing(source), source + 1)).features
    assert not torch.allclose(other, expected)
