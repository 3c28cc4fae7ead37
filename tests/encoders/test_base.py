import pytest
import torch
from torch import Tensor, nn

from seqforge.encoders import Encoder, EncoderError
from seqforge.state import State
from seqforge.testing.encoder_contract import check_encoder


class Leaky(Encoder):
    """The least that a third party has to write."""

    def __init__(self, input_size: int, hidden_size: int = 3) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, hidden_size
        self.mix = nn.Linear(input_size, hidden_size)

    def start(self, batch_size: int) -> State:
        return (self.zeros(batch_size, self.output_size),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        hidden = 0.9 * state[0] + torch.tanh(self.mix(x))
        return hidden, (hidden,)


class Window(Encoder):
    """Not causal: it defines forward alone."""

    causal = False

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.input_size = self.output_size = input_size
        self.mix = nn.Linear(input_size, input_size)

    def start(self, batch_size: int) -> State:
        return ()

    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        if state is not None:
            self.require_causal("go on from a state")
        return self.mix(x), ()


class Unfinished(Leaky):
    step = Encoder.step


def test_the_least_encoder_keeps_the_contract() -> None:
    check_encoder(Leaky)


def test_start_is_at_least_float32_in_the_parameters_dtype() -> None:
    assert Leaky(2).start(1)[0].dtype == torch.float32
    assert Leaky(2).double().start(1)[0].dtype == torch.float64
    assert Leaky(2).bfloat16().start(1)[0].dtype == torch.float32


def test_one_that_is_not_causal_neither_steps_nor_takes_a_state() -> None:
    window = Window(2)
    for attempt in (
        lambda: window.step(torch.ones(1, 2), ()),
        window.stepper,
        lambda: window(torch.ones(1, 1, 2), ()),
    ):
        with pytest.raises(EncoderError, match="this Window reads both ways") as caught:
            attempt()
        assert "bidirectional: false" in str(caught.value)
        assert isinstance(caught.value, ValueError)


def test_a_missing_step_is_named() -> None:
    with pytest.raises(NotImplementedError, match="Unfinished must define step"):
        Unfinished(2)(torch.ones(1, 1, 2))


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 5), (2, 0, 4)])
def test_wrong_inputs_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(EncoderError, match=r"Leaky reads inputs \(B, T >= 1, 4\), got"):
        Leaky(4)(torch.ones(shape))


@pytest.mark.parametrize(
    ("lengths", "message"),
    [([3], r"shape \(2,\)"), ([4, 1], "0 and the 3 steps"), ([-1, 1], "got -1 to 1")],
)
def test_wrong_lengths_are_refused(lengths: list[int], message: str) -> None:
    with pytest.raises(EncoderError, match=message):
        Leaky(4)(torch.ones(2, 3, 4), None, torch.tensor(lengths))


def test_full_lengths_say_nothing() -> None:
    x = torch.ones(2, 3, 4)
    assert Leaky(4).check_lengths(torch.tensor([3, 3]), x) is None
    assert Leaky(4).check_lengths(torch.tensor([3, 2]), x) is not None


def test_the_default_stepper_leaves_the_mode_alone() -> None:
    encoder = Leaky(4).train()
    encoder.stepper()(torch.ones(1, 4), encoder.start(1))
    assert encoder.training
