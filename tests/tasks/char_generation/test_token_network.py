"""The network that engines take over says what the model's own steps say."""

import pytest
import torch
from torch import nn

from seqforge.encoders import LSTM
from seqforge.layers import Head
from seqforge_tasks.char_generation.token_network import TokenNetwork, log_softmax


@pytest.mark.parametrize("bias", [0.0, torch.nan, torch.inf, -torch.inf])
@torch.no_grad()
def test_scores_that_are_no_numbers_are_taken_as_by_the_model(bias: float) -> None:
    torch.manual_seed(0)
    encoder, head, offset = LSTM(3, 4).eval(), Head(4, 5), torch.zeros(5)
    offset[0] = -torch.inf
    network = TokenNetwork(nn.Embedding(5, 3), encoder, head, offset)
    head.bias[2] = bias
    tokens, state = torch.tensor([1, 4]), encoder.start(2)
    outputs, _ = encoder.step(network.embedding(tokens), state)

    log_probs, _ = network(tokens, state)

    torch.testing.assert_close(log_probs, log_softmax(head(outputs)) + offset, rtol=0.0, atol=0.0)
    assert not log_probs.isnan().any()
    assert (log_probs[:, 0] == -torch.inf).all()
