import functools

import pytest
import torch
from torch import Tensor, nn

from seqforge.encoders import LSTM, Encoder
from seqforge.encoders.base import Stepper
from seqforge.layers.masking import padding_mask
from seqforge.state import Noise, State
from seqforge.testing.encoder_contract import (
    CHECKS,
    Check,
    check_attributes,
    check_chunks,
    check_detach,
    check_dtype,
    check_encoder,
    check_misuse,
    check_nothing_kept,
    check_padding,
    check_round_trip,
    check_rows,
    check_start,
    check_stepper,
    check_steps,
)


class Sound(Encoder):
    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, 3
        self.mix = nn.Linear(input_size + 3, 3)

    def start(self, batch_size: int) -> State:
        return (self.zeros(batch_size, 3),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        hidden = torch.tanh(self.mix(torch.cat([x, state[0].to(x.dtype)], dim=1)))
        return hidden, (hidden.to(state[0].dtype),)


class WrongSize(Sound):
    def __init__(self, input_size: int) -> None:
        super().__init__(input_size)
        self.output_size = 3
        self.output_size += 1

    def start(self, batch_size: int) -> State:
        return (self.zeros(batch_size, 3),)


class OtherStart(Sound):
    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        if state is None:
            state = (self.zeros(x.size(0), 3) + 1,)
        return super().forward(x, state, lengths)


class ForgetsBetweenChunks(Sound):
    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        return super().forward(x, None, lengths)


class OtherStep(Sound):
    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        outputs, state = super().forward(x, state, lengths)
        return outputs * (1 + 1e-6), state


class OtherGradient(Sound):
    """The values agree, the gradients do not."""

    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        return super().forward(x.detach(), state, lengths)


class IgnoresPadding(Sound):
    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        return super().forward(x, state, None)


class MasksOutputsOnly(Sound):
    """Outputs are right, the state is that of the last column."""

    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        outputs, state = super().forward(x.nan_to_num(), state, None)
        if lengths is not None:
            mask = padding_mask(lengths, x.size(1)).unsqueeze(2)
            outputs = outputs.masked_fill(mask, 0.0)
        return outputs, state


class NanGradient(Sound):
    """Padding is multiplied by zero: NaN stays NaN."""

    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        if lengths is not None:
            x = x * ~padding_mask(lengths, x.size(1)).unsqueeze(2)
        return super().forward(x, state, lengths)

    def check_lengths(self, lengths: Tensor | None, x: Tensor) -> Tensor | None:
        del lengths, x
        return None


class NotPlain(Sound):
    def start(self, batch_size: int) -> State:
        return [self.zeros(batch_size, 3)]


class LayersFirst(Sound):
    """The state is (1, B, H), as PyTorch's own."""

    def start(self, batch_size: int) -> State:
        return (self.zeros(batch_size, 3).unsqueeze(0),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        output, (hidden,) = super().step(x, (state[0][0],))
        return output, (hidden.unsqueeze(0),)


class MixesRows(Sound):
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return super().step(x, (state[0].roll(1, 0),))


class LiveStepper(Sound):
    def stepper(self) -> Stepper:
        return lambda x, state: self.step(x, state)


class Low(Sound):
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        output, _ = super().step(x, state)
        return output, (output,)


class Keeps(Sound):
    def __init__(self, input_size: int) -> None:
        super().__init__(input_size)
        self.hidden: Tensor | None = None

    def start(self, batch_size: int) -> State:
        kept = self.hidden if self.hidden is not None else self.zeros(batch_size, 3)
        return (kept[:1].expand(batch_size, 3),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        output, after = super().step(x, state)
        self.hidden = after[0].detach()
        return output, after


class NoiseOutsideItsWrapper(Sound):
    """What it drew does not become undrawn: the value is rebuilt after detach."""

    def start(self, batch_size: int) -> State:
        return (self.zeros(batch_size, 3), Noise(None))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        if state[1].value is None and state[0].any():
            raise AssertionError("NoiseOutsideItsWrapper cannot go on without its mask")
        output, after = super().step(x, state[:1])
        return output, (*after, Noise(torch.ones_like(output)))


class StepsBothWays(Sound):
    causal = False


class Clueless(StepsBothWays):
    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        if state is not None:
            raise KeyError("state")
        return super().forward(x, state, lengths)


BROKEN = [
    (check_attributes, WrongSize, "outputs should have shape"),
    (check_start, OtherStart, r"outputs from start\(\) differ by"),
    (check_chunks, ForgetsBetweenChunks, "in eval, as_chunks: outputs differ by"),
    (check_steps, OtherStep, "in eval, as_steps: outputs differ by"),
    (check_steps, OtherGradient, "input gradient differ by"),
    (check_padding, IgnoresPadding, "row 0 of length 3: outputs at padding differ by"),
    (check_padding, MasksOutputsOnly, "row 0 of length 3: state, leaf 0"),
    (check_padding, NanGradient, "outputs at padding differ by"),
    (check_round_trip, NotPlain, "not a list"),
    (check_rows, LayersFirst, "a leaf of the state is"),
    (check_rows, MixesRows, "selected rows differ by"),
    (check_stepper, LiveStepper, "requires gradients"),
    (check_dtype, Low, "a leaf of the state is torch.bfloat16"),
    (check_nothing_kept, Keeps, "outputs of a second reading differ by"),
    (check_detach, NoiseOutsideItsWrapper, "cannot go on without its mask"),
    (check_misuse, StepsBothWays, "forward with a state of one that is not causal did not raise"),
    (check_misuse, Clueless, "raised KeyError"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_sound_encoder_passes(check: Check) -> None:
    check(Sound)


@pytest.mark.parametrize(
    ("check", "encoder", "message"),
    BROKEN,
    ids=[f"{c.__name__}-{e.__name__}" for c, e, _ in BROKEN],
)
def test_a_broken_encoder_fails_and_is_named(
    check: Check, encoder: type[Encoder], message: str
) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        check(encoder)
    assert check.__name__ in str(caught.value)
    assert encoder.__name__ in str(caught.value)


def test_every_check_has_an_encoder_that_fails_it() -> None:
    assert {check for check, _, _ in BROKEN} == set(CHECKS)


def test_all_checks_run_at_once() -> None:
    check_encoder(functools.partial(LSTM, hidden_size=3))
    with pytest.raises(AssertionError, match="check_padding: IgnoresPadding"):
        check_encoder(IgnoresPadding)


def test_checks_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    check_padding(Sound)
    check_chunks(Sound)
    assert torch.get_rng_state().equal(before)
