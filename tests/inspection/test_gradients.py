"""The gradient by lag, against the lecture's product of Jacobians."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from seqforge.encoders import GRU, LSTM, RNN, Encoder
from seqforge.encoders.lecture_equations import (
    RNNWeights,
    rnn_outputs,
    rnn_states,
    state_jacobian,
)
from seqforge.errors import UserError
from seqforge.inspection.gradients import (
    GradientCurve,
    fresh_encoders,
    gradient_by_lag,
    gradient_norms,
)
from seqforge.inspection.trace import trace
from seqforge.state import leaves, map_state
from seqforge.task import Reading
from tests.inspection.readings import TEXT, read

SHORT = TEXT[:24]


def test_it_is_the_lectures_product_of_jacobians() -> None:
    encoder = RNN(3, 5, bias=False).double()
    chance = torch.Generator().manual_seed(1)
    head = torch.randn(len(set(SHORT)), 5, generator=chance, dtype=torch.float64)
    reading = read(encoder, SHORT, head=head)
    ends = torch.tensor([8, 13, 22])

    found = gradient_norms(reading, trace(reading), ends, 8)

    w_in, w_hidden = (
        encoder.get_parameter(f"layers.0.rnn.weight_{part}_l0").detach() for part in ("ih", "hh")
    )
    weights = RNNWeights(w_in, w_hidden, head)
    states = rnn_states(reading.inputs[0], weights)
    signs = sorted(set(SHORT))
    truth = torch.eye(len(signs), dtype=torch.float64)[[signs.index(sign) for sign in SHORT[1:]]]
    surprise = rnn_outputs(states, weights) - truth  # (T, O)
    expected = torch.stack(
        [
            torch.stack(
                [
                    (surprise[t] @ head @ state_jacobian(states, weights, t, t - lag)).norm()
                    for t in ends.tolist()
                ]
            )
            for lag in range(9)
        ]
    )
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
def test_the_whole_state_of_all_layers_counts(kind: type[RNN | LSTM | GRU]) -> None:
    encoder = kind(3, 4, num_layers=2).double().eval()
    reading = read(encoder, SHORT)
    t, lags = 20, 5

    found = gradient_norms(reading, trace(reading), torch.tensor([t]), lags)[:, 0]

    # One Jacobian for each step, of the state as one long vector, multiplied from the left.
    states = [encoder.start(1)]
    for x in reading.inputs[0]:
        states.append(encoder.step(x[None], states[-1])[1])
    expected = [torch.tensor(0.0)]
    row = jacobian(lambda s: _error(reading, t, s), _flat(states[t]))  # dE_t/ds_{t-1}
    for lag in range(1, lags + 1):
        expected.append(row.norm())
        step = t - lag  # s_{step} is states[step + 1], made from states[step]
        row = row @ jacobian(lambda s, step=step: _next(reading, step, s), _flat(states[step]))
    torch.testing.assert_close(found[1:], torch.stack(expected[1:]), rtol=1e-10, atol=0)
    output, _ = encoder(reading.inputs)
    gradient = jacobian(lambda o: reading.losses(o)[t], output)
    torch.testing.assert_close(found[0], gradient.norm(), rtol=1e-10, atol=0)


def _flat(state: object) -> Tensor:
    return torch.cat(leaves(state), dim=1)[0].detach()


def _unflat(encoder: Encoder, flat: Tensor) -> object:
    like = encoder.start(1)
    parts = iter(flat[None].split([leaf.size(1) for leaf in leaves(like)], dim=1))
    return map_state(lambda _: next(parts), like)


def _next(reading: Reading, step: int, flat: Tensor) -> Tensor:
    state = _unflat(reading.encoder, flat)
    _, after = reading.encoder.step(reading.inputs[:, step], state)
    return torch.cat(leaves(after), dim=1)[0]


def _error(reading: Reading, t: int, flat: Tensor) -> Tensor:
    output, _ = reading.encoder.step(reading.inputs[:, t], _unflat(reading.encoder, flat))
    outputs = torch.zeros(1, len(reading.symbols), output.size(1), dtype=output.dtype)
    return reading.losses(outputs.index_copy(1, torch.tensor([t]), output[None]))[t]


def test_curves_are_quartiles_of_norms_relative_to_lag_0() -> None:
    reading = read(LSTM(3, 4).double(), TEXT[:40])
    seen = trace(reading)

    curve = gradient_by_lag(reading, seen, 10)

    norms = gradient_norms(reading, seen, torch.arange(10, 39), 10).numpy()
    relative = norms / norms[0]
    np.testing.assert_allclose(curve.median, np.median(relative, axis=1))
    np.testing.assert_allclose(curve.lower, np.percentile(relative, 25, axis=1))
    np.testing.assert_allclose(curve.upper, np.percentile(relative, 75, axis=1))
    assert curve.median[0] == 1


@pytest.mark.parametrize(
    ("median", "reach"), [([1, 0.5, 0.01, 0.02], 2), ([1, 0.5], None), ([1, 0.001], 1)]
)
def test_the_reach_is_the_first_lag_at_one_percent(median: list[float], reach: int | None) -> None:
    values = np.array(median)
    assert GradientCurve(values, values, values).reach == reach


def test_an_untrained_rnn_forgets_before_an_lstm() -> None:
    fresh = fresh_encoders(LSTM(8, 32), 2)
    curves = {}
    for name, encoder in fresh.items():
        reading = read(encoder)
        curves[name] = gradient_by_lag(reading, trace(reading), 40)

    assert curves["RNN"].median[40] < 1e-6 < curves["LSTM"].median[40]
    reach = curves["RNN"].reach
    assert reach is not None
    assert reach < (curves["LSTM"].reach or 41)


def test_untrained_networks_are_the_same_every_time_and_draw_nothing() -> None:
    like = GRU(3, 5).double()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = fresh_encoders(like, 2), fresh_encoders(like, 2)

    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    assert list(first) == ["RNN", "LSTM", "GRU"]
    for name, encoder in first.items():
        assert (encoder.input_size, encoder.output_size) == (3, 5)
        assert not encoder.training
        for one, other in zip(encoder.parameters(), second[name].parameters(), strict=True):
            assert one.dtype == torch.float64
            torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("lags", [0, 23])
def test_lags_must_fit_into_the_text(lags: int) -> None:
    reading = read(RNN(3, 4), SHORT)
    with pytest.raises(ValueError, match="no lags up to"):
        gradient_by_lag(reading, trace(reading), lags)


def test_a_network_that_has_diverged() -> None:
    encoder = RNN(3, 4)
    reading = read(encoder, SHORT, head=torch.full((len(set(SHORT)), 4), torch.nan))
    with pytest.raises(UserError, match="not finite numbers") as error:
        gradient_by_lag(reading, trace(reading), 5)
    assert "earlier checkpoint" in str(error.value)


def test_errors_without_gradients() -> None:
    reading = read(RNN(3, 4), SHORT, head=torch.zeros(len(set(SHORT)), 4))
    with pytest.raises(UserError, match="no error of this text has a gradient"):
        gradient_by_lag(reading, trace(reading), 5)
