"""A shortcut adds to the features of every step, however they are computed."""

import pytest
import torch

from seqforge.attention import AttentionDecoder, DotAttention
from seqforge.encoders import LSTM
from seqforge.state import repeat
from tests.attention.sources import draw

ROWS, TIME, WIDTH, FEATURES, BEAMS = 3, 5, 4, 6, 2


def decoder(input_feeding: bool = False) -> AttentionDecoder:
    torch.manual_seed(0)
    attention = DotAttention(WIDTH, WIDTH)
    reader = LSTM(3 + FEATURES * input_feeding, hidden_size=WIDTH)
    return AttentionDecoder(reader, attention, FEATURES, input_feeding=input_feeding).double()


def test_it_is_added_to_the_features_and_changes_nothing_else() -> None:
    made = decoder()
    embedded, source, shortcut = draw(ROWS, TIME, 3), draw(ROWS, 7, WIDTH), draw(ROWS, FEATURES)
    memory = made.attention.remember(source)
    plain = made(embedded, made.start(memory, source.mean(1)))
    found = made(embedded, made.start(memory, source.mean(1), shortcut))
    for row in range(ROWS):
        expected = plain.features[row] + shortcut[row]
        torch.testing.assert_close(found.features[row], expected)
    torch.testing.assert_close(found.weights, plain.weights)


@pytest.mark.parametrize("input_feeding", [False, True])
def test_steps_of_beams_agree_with_whole_sequences(input_feeding: bool) -> None:
    made = decoder(input_feeding)
    embedded, source, shortcut = draw(ROWS, TIME, 3), draw(ROWS, 7, WIDTH), draw(ROWS, FEATURES)
    begun = made.start(made.attention.remember(source), source.mean(1), shortcut)
    whole = made(embedded, begun)
    packed = made.stepper()
    state = repeat(begun, BEAMS)
    fast = repeat(packed.begin(begun), BEAMS)
    for t in range(TIME):
        x = embedded[:, t].repeat_interleave(BEAMS, dim=0)
        features, _, state = made.step(x, state)
        quick, _, fast = packed(x, fast)
        expected = whole.features[:, t].repeat_interleave(BEAMS, dim=0)
        torch.testing.assert_close(features, expected)
        torch.testing.assert_close(quick, expected)
