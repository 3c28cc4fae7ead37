import pytest
import torch

from seqforge.encoders import GRU, LSTM, RNN, EncoderError
from seqforge.inspection.trace import gate_names, trace
from seqforge.state import leaves, select
from tests.inspection.readings import TEXT, read

Kind = type[RNN] | type[LSTM] | type[GRU]


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_a_trace_is_the_encoders_own_reading(kind: Kind) -> None:
    encoder = kind(3, 5, num_layers=2).double().eval()
    reading = read(encoder, TEXT[:60])

    seen = trace(reading)

    expected, _ = encoder(reading.inputs)
    torch.testing.assert_close(seen.outputs, expected[0], rtol=0, atol=1e-12)
    assert not seen.outputs.requires_grad
    state = encoder.start(1)
    for t in range(len(reading.symbols)):
        before = select(seen.before, torch.tensor([t]))
        for found, right in zip(leaves(before), leaves(state), strict=True):
            torch.testing.assert_close(found, right, rtol=0, atol=1e-12)
        _, state = encoder.step(reading.inputs[:, t], state)
        for layer, after in zip(seen.layers, state.layers, strict=True):
            unit = after.cell.tanh() if kind is LSTM else after.hidden
            torch.testing.assert_close(layer.units[t], unit[0], rtol=0, atol=1e-12)


def test_gates_have_the_names_of_the_cell() -> None:
    names = [gate_names(trace(read(kind(3, 4))).layers) for kind in (RNN, LSTM, GRU)]

    assert names == [[], ["input", "forget", "output"], ["reset", "update"]]


def test_dropout_takes_no_part_and_training_goes_on() -> None:
    encoder = LSTM(3, 5, num_layers=2, dropout=0.5)
    reading = read(encoder)

    first, second = trace(reading), trace(reading)

    assert encoder.training
    for one, other in zip(first.layers, second.layers, strict=True):
        torch.testing.assert_close(one.units, other.units, rtol=0, atol=0)


def test_both_ways_cannot_be_traced() -> None:
    with pytest.raises(EncoderError, match="cannot be looked into"):
        trace(read(LSTM(3, 5), "a text")._replace(encoder=LSTM(3, 5, bidirectional=True)))
