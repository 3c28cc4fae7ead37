import pytest
import torch
from torch import Tensor

from seqforge.encoders import LSTM, RNN
from seqforge.encoders.lecture_equations import (
    Gate,
    LSTMWeights,
    RNNWeights,
    backpropagation_through_time,
    cross_entropy,
    gradient_by_lag,
    lstm_states,
    rnn_outputs,
    rnn_states,
    state_jacobian,
)

TIME, INPUTS, HIDDEN, OUTPUTS = 6, 3, 4, 5


def draw(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.fixture
def weights() -> RNNWeights:
    return RNNWeights(
        U=draw(HIDDEN, INPUTS, seed=0),
        W=draw(HIDDEN, HIDDEN, seed=1) / 2,
        V=draw(OUTPUTS, HIDDEN, seed=2),
    )


@pytest.fixture
def x() -> Tensor:
    return draw(TIME, INPUTS, seed=3)


@pytest.fixture
def targets() -> Tensor:
    return torch.tensor([0, 4, 2, 2, 1, 3])


def close(actual: Tensor, expected: Tensor) -> bool:
    return bool((actual - expected).abs().max() < 1e-10)


def test_the_rnn_encoder_is_the_lectures(weights: RNNWeights, x: Tensor) -> None:
    encoder = RNN(INPUTS, HIDDEN, bias=False).double()
    encoder.load_state_dict(
        {"layers.0.rnn.weight_ih_l0": weights.U, "layers.0.rnn.weight_hh_l0": weights.W}
    )
    outputs, state = encoder(x.unsqueeze(0))
    expected = rnn_states(x, weights)
    assert close(outputs[0], expected)
    assert close(state.layers[0].hidden[0], expected[-1])


def test_the_lstm_encoder_is_the_lectures(x: Tensor) -> None:
    gates = LSTMWeights(
        *(Gate(draw(INPUTS, HIDDEN, seed=n), draw(HIDDEN, HIDDEN, seed=10 + n)) for n in range(4))
    )
    encoder = LSTM(INPUTS, HIDDEN, bias=False).double()
    order = (gates.i, gates.f, gates.g, gates.o)  # PyTorch's
    encoder.load_state_dict(
        {
            "layers.0.rnn.weight_ih_l0": torch.cat([gate.U.T for gate in order]),
            "layers.0.rnn.weight_hh_l0": torch.cat([gate.W.T for gate in order]),
        }
    )
    outputs, state = encoder(x.unsqueeze(0))
    states, cells = lstm_states(x, gates)
    assert close(outputs[0], states)
    assert close(state.layers[0].cell[0], cells[-1])


def test_the_sums_are_what_autograd_gives(weights: RNNWeights, x: Tensor, targets: Tensor) -> None:
    sums = backpropagation_through_time(x, targets, weights)
    tracked = RNNWeights(*(weight.clone().requires_grad_() for weight in weights))
    outputs = rnn_outputs(rnn_states(x, tracked), tracked)
    error = cross_entropy(outputs, targets).sum()
    error.backward()
    assert close(sums.error, error)
    for summed, parameter in zip((sums.U, sums.W, sums.V), tracked, strict=True):
        assert parameter.grad is not None
        assert close(summed, parameter.grad)


def test_the_sums_are_what_the_fused_encoder_gives(
    weights: RNNWeights, x: Tensor, targets: Tensor
) -> None:
    encoder = RNN(INPUTS, HIDDEN, bias=False).double()
    encoder.load_state_dict(
        {"layers.0.rnn.weight_ih_l0": weights.U, "layers.0.rnn.weight_hh_l0": weights.W}
    )
    logits = encoder(x.unsqueeze(0))[0][0] @ weights.V.T
    torch.nn.functional.cross_entropy(logits, targets, reduction="sum").backward()
    sums = backpropagation_through_time(x, targets, weights)
    gradients = {name: parameter.grad for name, parameter in encoder.named_parameters()}
    assert close(sums.U, torch.as_tensor(gradients["layers.0.rnn.weight_ih_l0"]))
    assert close(sums.W, torch.as_tensor(gradients["layers.0.rnn.weight_hh_l0"]))


def test_each_term_stands_at_its_place(weights: RNNWeights, x: Tensor, targets: Tensor) -> None:
    sums = backpropagation_through_time(x, targets, weights)
    assert not sums.W_terms[2, 3:].any()  # nothing comes from later steps
    tracked = weights._replace(W=weights.W.clone().requires_grad_())
    outputs = rnn_outputs(rnn_states(x, tracked), tracked)
    (of_one_step,) = torch.autograd.grad(cross_entropy(outputs, targets)[2], tracked.W)
    assert close(sums.W_terms[2].sum(0), of_one_step)


def test_the_jacobian_is_that_of_the_recursion(weights: RNNWeights, x: Tensor) -> None:
    states = rnn_states(x, weights)

    def run_on(s: Tensor) -> Tensor:
        for x_t in x[2:5]:
            s = torch.tanh(weights.W @ s + weights.U @ x_t)
        return s

    expected = torch.autograd.functional.jacobian(run_on, states[1])
    assert close(state_jacobian(states, weights, 4, 1), expected)
    assert close(state_jacobian(states, weights, 1, 1), torch.eye(HIDDEN, dtype=torch.float64))


def test_the_gradient_vanishes_with_the_lag_where_w_shrinks(
    weights: RNNWeights, x: Tensor, targets: Tensor
) -> None:
    small = weights._replace(W=0.3 * torch.eye(HIDDEN, dtype=torch.float64))
    by_lag = gradient_by_lag(backpropagation_through_time(x, targets, small).U_terms)
    assert by_lag.shape == (TIME,)
    assert bool((by_lag[1:] < by_lag[:-1]).all())
    assert by_lag[-1] < by_lag[0] * 0.3 ** (TIME - 1)
