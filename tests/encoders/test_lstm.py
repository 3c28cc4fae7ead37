import pytest
import torch
from torch import Tensor, nn

from seqforge.encoders import LSTM
from seqforge.encoders.layer import Layer


def like_torch(encoder: LSTM) -> nn.LSTM:
    """PyTorch's own stack with the same weights."""
    reference = nn.LSTM(
        encoder.input_size,
        encoder.hidden_size,
        encoder.num_layers,
        batch_first=True,
        bidirectional=encoder.bidirectional,
        dtype=torch.float64,
    )
    with torch.no_grad():
        for name, parameter in reference.named_parameters():
            kind, layer, *way = name.split("_l", 1)[0], *name.split("_l", 1)[1].split("_")
            suffix = "_reverse" if way else ""
            source = encoder.get_parameter(f"layers.{layer}.rnn.{kind}_l0{suffix}")
            parameter.copy_(source)
    return reference


@pytest.fixture
def x() -> Tensor:
    return torch.randn(3, 6, 4, dtype=torch.float64)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 3])
def test_it_is_pytorchs_lstm(x: Tensor, num_layers: int, bidirectional: bool) -> None:
    encoder = LSTM(4, 5, num_layers=num_layers, bidirectional=bidirectional).double()
    expected, (hidden, cell) = like_torch(encoder)(x)
    outputs, state = encoder(x)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-12)
    found = [way for layer in state.layers for way in (layer if bidirectional else (layer,))]
    for number, way in enumerate(found):  # torch: layer by layer, forward before backward
        torch.testing.assert_close(way.hidden, hidden[number], rtol=0, atol=1e-12)
        torch.testing.assert_close(way.cell, cell[number], rtol=0, atol=1e-12)


def test_both_ways_are_two_single_runs(x: Tensor) -> None:
    encoder = LSTM(4, 5, bidirectional=True).double()
    lengths = torch.tensor([6, 2, 4])
    ahead, back = LSTM(4, 5).double(), LSTM(4, 5).double()
    for single, suffix in ((ahead, ""), (back, "_reverse")):
        single.load_state_dict(
            {name: encoder.get_parameter(name + suffix) for name in single.state_dict()}
        )
    outputs, state = encoder(x, None, lengths)
    for row, length in enumerate(lengths.tolist()):
        valid = x[row : row + 1, :length]
        forward, forward_state = ahead(valid)
        backward, backward_state = back(valid.flip(1))
        expected = torch.cat([forward, backward.flip(1)], dim=2)[0]
        torch.testing.assert_close(outputs[row, :length], expected, rtol=0, atol=1e-12)
        found = state.layers[0]
        for one, single_state in (
            (found.forward, forward_state),
            (found.backward, backward_state),
        ):
            for leaf, reference in zip(one, single_state.layers[0], strict=True):
                torch.testing.assert_close(leaf[row], reference[0], rtol=0, atol=1e-12)


def test_step_is_pytorchs_cell(x: Tensor) -> None:
    encoder = LSTM(4, 5).double()
    cell = nn.LSTMCell(4, 5, dtype=torch.float64)
    cell.load_state_dict(
        {name: encoder.get_parameter(f"layers.0.rnn.{name}_l0") for name in cell.state_dict()}
    )
    _, state = encoder(x)
    hidden, memory = cell(x[:, 0], state.layers[0])
    output, after = encoder.step(x[:, 0], state)
    torch.testing.assert_close(output, hidden, rtol=0, atol=1e-12)
    torch.testing.assert_close(after.layers[0].cell, memory, rtol=0, atol=1e-12)


@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -0.5])
def test_the_forget_bias_stands_once_and_at_its_place(forget_bias: float) -> None:
    encoder = LSTM(3, 4, num_layers=2, bidirectional=True, forget_bias=forget_bias)
    for layer in encoder.layers:
        assert isinstance(layer, Layer)
        for weights in layer.weights(None):
            assert weights.bias_ih is not None
            assert weights.bias_hh is not None
            expected = [0.0] * 4 + [forget_bias] * 4 + [0.0] * 8  # i, f, g, o
            assert weights.bias_ih.tolist() == expected
            assert not weights.bias_hh.any()
