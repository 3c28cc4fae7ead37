from typing import Any, Literal, cast

import pytest
import torch
from torch import nn

from seqforge.encoders import RNN, EncoderError


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_is_pytorchs_rnn(nonlinearity: Literal["tanh", "relu"], bidirectional: bool) -> None:
    x = torch.randn(3, 6, 4, dtype=torch.float64)
    encoder = RNN(
        4, 5, num_layers=2, bidirectional=bidirectional, nonlinearity=nonlinearity
    ).double()
    reference = nn.RNN(
        4,
        5,
        2,
        nonlinearity=nonlinearity,
        batch_first=True,
        bidirectional=bidirectional,
        dtype=torch.float64,
    )
    with torch.no_grad():
        for name, parameter in reference.named_parameters():
            layer = "0" if "_l0" in name else "1"
            source = f"layers.{layer}.rnn.{name.replace('_l1', '_l0')}"
            parameter.copy_(encoder.get_parameter(source))
    expected, hidden = reference(x)
    outputs, state = encoder(x)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-12)
    found = [way for layer in state.layers for way in (layer if bidirectional else (layer,))]
    for number, way in enumerate(found):
        torch.testing.assert_close(way.hidden, hidden[number], rtol=0, atol=1e-12)


def test_an_unknown_nonlinearity_is_refused() -> None:
    with pytest.raises(EncoderError, match=r"nonlinearity is 'gelu'\n.*relu, tanh"):
        RNN(3, 4, nonlinearity=cast("Any", "gelu"))
