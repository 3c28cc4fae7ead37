import torch
from torch import Tensor

from seqforge.encoders import GRU, LSTM, RNN, Bridge, Encoder
from seqforge.state import Noise, State, leaves


class Mixed(Encoder):
    def __init__(self) -> None:
        super().__init__()
        self.input_size, self.output_size = 2, 3
        self.weight = torch.nn.Parameter(torch.ones(1))

    def start(self, batch_size: int) -> State:
        counter = torch.zeros(batch_size, dtype=torch.int64)
        memory = torch.ones(batch_size, 2, 2)
        return (self.zeros(batch_size, 3), None, counter, memory, Noise(None))


def test_each_leaf_has_a_map_of_its_own() -> None:
    encoder = LSTM(2, 4, num_layers=2)
    bridge = Bridge(encoder, 6)
    context = torch.randn(3, 6)
    state = bridge(context)
    assert type(state) is type(encoder.start(1))
    assert state.noise == Noise(None)
    assert len(bridge.maps) == 4
    for linear, leaf in zip(bridge.maps, leaves(state), strict=True):
        assert isinstance(linear, torch.nn.Linear)
        expected = torch.tanh(context @ linear.weight.T + linear.bias)
        torch.testing.assert_close(leaf, expected)
    assert not state.layers[0].hidden.equal(state.layers[0].cell)


def test_the_encoder_runs_from_it_and_the_context_gets_gradients() -> None:
    for encoder in (RNN(2, 4), GRU(2, 4), LSTM(2, 4)):
        bridge = Bridge(encoder, 6)
        context = torch.randn(3, 6, requires_grad=True)
        outputs, _ = encoder(torch.randn(3, 5, 2), bridge(context))
        outputs.sum().backward()
        assert context.grad is not None
        assert bool((context.grad != 0).any())


def test_it_does_not_own_the_encoder() -> None:
    names = dict(Bridge(GRU(2, 4), 6).named_parameters())
    assert set(names) == {"maps.0.weight", "maps.0.bias"}


def test_other_leaves_stay_as_the_encoder_starts_them() -> None:
    state = Bridge(Mixed(), 6)(torch.randn(5, 6))
    hidden, none, counter, memory, noise = state
    assert hidden.shape == (5, 3)
    assert none is None
    assert counter.equal(torch.zeros(5, dtype=torch.int64))
    assert memory.equal(torch.ones(5, 2, 2))
    assert noise == Noise(None)


def test_the_state_is_float32_under_autocast_and_float64_in_double() -> None:
    bridge = Bridge(GRU(2, 4), 6)
    with torch.autocast("cpu", torch.bfloat16):
        assert all(leaf.dtype == torch.float32 for leaf in leaves(bridge(torch.randn(2, 6))))
    context: Tensor = torch.randn(2, 6).double()
    assert all(leaf.dtype == torch.float64 for leaf in leaves(bridge.double()(context)))
