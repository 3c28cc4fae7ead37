"""What the encoders show of themselves, against their equations."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from seqforge.encoders import GRU, LSTM, RNN, Encoder, EncoderError
from seqforge.state import concatenate


def states_of(encoder: Encoder, x: Tensor) -> list[tuple[object, object, Tensor]]:
    """Each step's state before, state after, and output."""
    found = []
    state = encoder.start(x.size(0))
    for t in range(x.size(1)):
        output, after = encoder.step(x[:, t], state)
        found.append((state, after, output))
        state = after
    return found


def weights_of(encoder: Encoder, layer: int) -> dict[str, Tensor]:
    """The parameters of a layer, by PyTorch's names."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {name: encoder.get_parameter(f"layers.{layer}.rnn.{name}_l0") for name in names}


@pytest.fixture
def x() -> Tensor:
    return torch.randn(3, 6, 4, dtype=torch.float64)


@pytest.mark.parametrize("residual", [False, True])
def test_an_lstm_step_follows_from_its_gates(x: Tensor, residual: bool) -> None:
    encoder = LSTM(4, 5, num_layers=2, layer_norm=residual, residual=residual).double().eval()
    for t, (before, after, _) in enumerate(states_of(encoder, x)):
        layers = encoder.activations(x[:, t], before)
        assert [set(layer.gates) for layer in layers] == [{"input", "forget", "output"}] * 2
        for number, layer in enumerate(layers):
            old, new = before.layers[number], after.layers[number]  # type: ignore[attr-defined]
            torch.testing.assert_close(layer.units, torch.tanh(new.cell))
            torch.testing.assert_close(layer.gates["output"] * layer.units, new.hidden)
            # What c_t holds beyond f c_{t-1} is i g, with a candidate g that tanh bounds.
            candidate = (new.cell - layer.gates["forget"] * old.cell) / layer.gates["input"]
            assert candidate.abs().max() < 1
        old = before.layers[0]  # type: ignore[attr-defined]
        w = weights_of(encoder, 0)
        total = x[:, t] @ w["weight_ih"].T + old.hidden @ w["weight_hh"].T
        total = total + w["bias_ih"] + w["bias_hh"]
        torch.testing.assert_close(layers[0].gates["input"], torch.sigmoid(total[:, :5]))
        torch.testing.assert_close(layers[0].gates["forget"], torch.sigmoid(total[:, 5:10]))


def test_a_gru_step_follows_from_its_gates(x: Tensor) -> None:
    encoder = GRU(4, 5, num_layers=2).double().eval()
    below = x
    for number in range(2):
        w = weights_of(encoder, number)
        outputs = []
        for t, (before, after, _) in enumerate(states_of(encoder, x)):
            layer = encoder.activations(x[:, t], before)[number]
            assert list(layer.gates) == ["reset", "update"]
            old, new = before.layers[number].hidden, after.layers[number].hidden  # type: ignore[attr-defined]
            reset, update = layer.gates["reset"], layer.gates["update"]
            from_input = below[:, t] @ w["weight_ih"][10:].T + w["bias_ih"][10:]
            from_hidden = old @ w["weight_hh"][10:].T + w["bias_hh"][10:]
            candidate = torch.tanh(from_input + reset * from_hidden)
            torch.testing.assert_close((1 - update) * candidate + update * old, new)
            torch.testing.assert_close(layer.units, new)
            outputs.append(new)
        below = torch.stack(outputs, dim=1)


def test_an_rnn_has_units_and_no_gates(x: Tensor) -> None:
    encoder = RNN(4, 5).double().eval()
    for t, (before, _, output) in enumerate(states_of(encoder, x)):
        (layer,) = encoder.activations(x[:, t], before)
        assert layer.gates == {}
        torch.testing.assert_close(layer.units, output)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_steps_can_be_looked_into_as_rows_of_one_batch(
    kind: type[RNN | LSTM | GRU], x: Tensor
) -> None:
    encoder = kind(4, 5, num_layers=2).double().eval()
    steps = states_of(encoder, x[:1])
    together = encoder.activations(x[0], concatenate([before for before, _, _ in steps]))
    for t, (before, _, _) in enumerate(steps):
        for one, all_of_them in zip(encoder.activations(x[:1, t], before), together, strict=True):
            torch.testing.assert_close(one.units[0], all_of_them.units[t])
            for name, gate in one.gates.items():
                torch.testing.assert_close(gate[0], all_of_them.gates[name][t])


def test_training_noise_is_left_out(x: Tensor) -> None:
    encoder = LSTM(4, 5, weight_drop=0.5).double()
    first, second = (
        encoder.eval().activations(x[:, 0], encoder.start(3))[0].units for _ in range(2)
    )
    torch.testing.assert_close(first, second, rtol=0, atol=0)


class CounterState(NamedTuple):
    total: Tensor
    steps: Tensor


class Counter(Encoder):
    """A plugin's encoder that says nothing about itself."""

    def __init__(self) -> None:
        super().__init__()
        self.input_size = self.output_size = 4
        self.scale = torch.nn.Parameter(torch.ones(()))

    def start(self, batch_size: int) -> CounterState:
        return CounterState(
            self.zeros(batch_size, 4), torch.zeros(batch_size, 1, dtype=torch.int64)
        )

    def step(self, x: Tensor, state: CounterState) -> tuple[Tensor, CounterState]:
        total = state.total + self.scale * x
        return total, CounterState(total, state.steps + 1)


def test_a_plugin_shows_its_state(x: Tensor) -> None:
    encoder = Counter().double()
    (layer,) = encoder.activations(x[:, 0], encoder.start(3))
    torch.testing.assert_close(layer.units, x[:, 0])
    assert layer.gates == {}


def test_both_ways_cannot_be_looked_into(x: Tensor) -> None:
    encoder = LSTM(4, 5, bidirectional=True).double()
    with pytest.raises(EncoderError, match="reads both ways"):
        encoder.activations(x[:, 0], encoder.start(3))
