import pytest
import torch
from torch import nn

from seqforge.encoders import GRU
from seqforge.encoders.layer import Layer


@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_is_pytorchs_gru(bidirectional: bool) -> None:
    x = torch.randn(3, 6, 4, dtype=torch.float64)
    encoder = GRU(4, 5, num_layers=2, bidirectional=bidirectional).double()
    reference = nn.GRU(4, 5, 2, batch_first=True, bidirectional=bidirectional, dtype=torch.float64)
    with torch.no_grad():
        for name, parameter in reference.named_parameters():
            layer = "0" if "_l0" in name else "1"
            source = f"layers.{layer}.rnn.{name.replace('_l1', '_l0')}"
            parameter.copy_(encoder.get_parameter(source) + 0.1)
            encoder.get_parameter(source).copy_(parameter)
    expected, hidden = reference(x)
    outputs, state = encoder(x)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-12)
    found = [way for layer in state.layers for way in (layer if bidirectional else (layer,))]
    for number, way in enumerate(found):
        torch.testing.assert_close(way.hidden, hidden[number], rtol=0, atol=1e-12)


def test_step_is_pytorchs_cell_with_the_reset_gate_after_the_product() -> None:
    encoder = GRU(4, 5).double()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # the place shows in the bias
    cell = nn.GRUCell(4, 5, dtype=torch.float64)
    cell.load_state_dict(
        {name: encoder.get_parameter(f"layers.0.rnn.{name}_l0") for name in cell.state_dict()}
    )
    x, hidden = torch.randn(3, 4).double(), torch.randn(3, 5).double()
    start = encoder.start(3)
    state = start._replace(layers=(type(start.layers[0])(hidden),))
    expected = cell(x, hidden)
    torch.testing.assert_close(encoder.step(x, state)[0], expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(encoder.stepper()(x, state)[0], expected, rtol=0, atol=1e-12)


def test_biases_start_at_zero() -> None:
    (layer,) = GRU(3, 4).layers
    assert isinstance(layer, Layer)
    (weights,) = layer.weights(None)
    assert not torch.as_tensor(weights.bias_ih).any()
    assert not torch.as_tensor(weights.bias_hh).any()
