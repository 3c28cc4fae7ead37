"""What every encoder must keep, as checks that a plugin's tests can run.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(functools.partial(MyEncoder, hidden_size=7))

or `check_encoder(MyEncoder)` for all at once. Each check takes what builds an encoder from an input
size, and raises an AssertionError that names the check, the encoder and the difference.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable

import torch
from torch import Tensor

from seqforge.encoders.base import Encoder
from seqforge.state import State, detach, from_plain, leaves, repeat, select, to_plain
from seqforge.testing.encoder_runs import (
    BATCH,
    FEATURES,
    TIME,
    Build,
    build,
    claim,
    has_drawn_noise,
    inputs,
    message,
    named,
    run,
    same,
    same_state,
    shape,
    types,
)

SAME = 1e-10
"""Allowed between a sequence, its chunks and its steps, in float64."""
PADDED = 1e-12
"""Allowed between a padded batch and its rows alone, in float64."""

Check = Callable[[Build], None]


def check_encoder(factory: Build) -> None:
    """Run every check.

    Args:
        factory: Builds an encoder from an input size: its class, or a `functools.partial` of it.

    Raises:
        AssertionError: At the first thing that does not hold.
    """
    for check in CHECKS:
        check(factory)


@named
def check_attributes(factory: Build) -> None:
    """Sizes are what the encoder says, for a sequence and for a step.

    Raises:
        AssertionError: If a shape is another.
    """
    encoder = build(factory)
    claim(encoder.input_size == FEATURES, encoder, f"input_size is {encoder.input_size}")
    outputs, state = encoder(inputs())
    shape(encoder, "outputs", outputs, (BATCH, TIME, encoder.output_size))
    if encoder.causal:
        output, _ = encoder.step(inputs()[:, 0], state)
        shape(encoder, "a step's output", output, (BATCH, encoder.output_size))


@named
def check_start(factory: Build) -> None:
    """Begin from `start` as from no state at all; a start state requires no gradient.

    Raises:
        AssertionError: If the outputs differ, or a leaf has another number of rows.
    """
    encoder = build(factory).eval()
    start = encoder.start(BATCH)
    for leaf in leaves(start):
        claim(leaf.size(0) == BATCH, encoder, f"a leaf of start is {tuple(leaf.shape)}")
    if encoder.causal:
        expected, _ = encoder(inputs())
        same(encoder, "outputs from start()", encoder(inputs(), start)[0], expected, SAME)


@named
def check_chunks(factory: Build) -> None:
    """Read a sequence as its chunks, in values and gradients, in eval and in training.

    Raises:
        AssertionError: If they differ.
    """
    _compare_ways(factory, _as_chunks)


@named
def check_steps(factory: Build) -> None:
    """Read a sequence as its steps, in values and gradients, in eval and in training.

    Raises:
        AssertionError: If they differ.
    """
    _compare_ways(factory, _as_steps)


@named
def check_padding(factory: Build) -> None:
    """Padding, garbage or NaN, changes no output, state or gradient; rows may be empty.

    Raises:
        AssertionError: If a padded batch differs from its rows alone.
    """
    encoder = build(factory).eval()
    lengths = torch.tensor([3, TIME, 0, 5])
    for garbage in (100.0, float("nan")):
        padded = inputs()
        for row, length in enumerate(lengths.tolist()):
            padded[row, length:] = garbage
        whole = run(encoder, padded, lambda x: encoder(x, None, lengths))
        total = {name: torch.zeros_like(g) for name, g in whole.parameter_gradients.items()}
        for row, length in enumerate(lengths.tolist()):
            what = f"with {garbage} at padding, row {row} of length {length}: "
            silent = whole.outputs[row, length:]
            same(encoder, what + "outputs at padding", silent, torch.zeros_like(silent), 0.0)
            state = select(whole.state, torch.tensor([row]))
            if length == 0:
                same_state(encoder, what + "state", state, encoder.start(1), PADDED)
                continue
            alone = run(encoder, padded[row : row + 1, :length], encoder, row)
            same(encoder, what + "outputs", whole.outputs[row, :length], alone.outputs[0], PADDED)
            same_state(encoder, what + "state", state, alone.state, PADDED)
            gradient = torch.zeros_like(padded[row])
            gradient[:length] = alone.input_gradient[0]
            same(encoder, what + "input gradient", whole.input_gradient[row], gradient, PADDED)
            for name, part in alone.parameter_gradients.items():
                total[name] += part
        for name, gradient in whole.parameter_gradients.items():
            what = f"with {garbage} at padding, gradient of {name}"
            same(encoder, what, gradient, total[name], PADDED * 100)  # a sum of many


@named
def check_round_trip(factory: Build) -> None:
    """Save a state as plain tensors, load it as weights only, and get the same state.

    Raises:
        AssertionError: If values or types differ.
    """
    encoder = build(factory)
    for state in (encoder.start(BATCH), encoder.eval()(inputs())[1], encoder.train()(inputs())[1]):
        file = io.BytesIO()
        torch.save(to_plain(state), file)
        file.seek(0)
        loaded = from_plain(torch.load(file, weights_only=True), state)
        claim(types(loaded) == types(state), encoder, "types differ after a round trip")
        same_state(encoder, "state after a round trip", loaded, state, 0.0)


@named
def check_rows(factory: Build) -> None:
    """Every leaf is batch-first: selected and repeated rows go on as they would have.

    Raises:
        AssertionError: If a row depends on its place or its neighbours.
    """
    encoder = build(factory).eval()
    _, state = encoder(inputs())
    for leaf in leaves(state):
        claim(leaf.size(0) == BATCH, encoder, f"a leaf of the state is {tuple(leaf.shape)}")
    if not encoder.causal:
        return
    x, rows = inputs(seed=1), torch.tensor([2, 0, 2])
    outputs, after = encoder(x, state)
    picked, picked_after = encoder(x[rows], select(state, rows))
    same(encoder, "outputs of selected rows", picked, outputs[rows], SAME)
    same_state(encoder, "state of selected rows", picked_after, select(after, rows), SAME)
    twice, twice_after = encoder(x.repeat_interleave(2, dim=0), repeat(state, 2))
    same(encoder, "outputs of repeated rows", twice, outputs.repeat_interleave(2, dim=0), SAME)
    same_state(encoder, "state of repeated rows", twice_after, repeat(after, 2), SAME)


@named
def check_stepper(factory: Build) -> None:
    """Step alike with frozen weights: no gradient, no dropout, deaf to later changes.

    Raises:
        AssertionError: If the stepper, or that over rows of a matrix, differs from `step` in eval
            mode.
    """
    encoder = build(factory)
    if not encoder.causal:
        return
    stepper, rows = encoder.train().stepper(), inputs().flatten(0, 1)  # (B T, I)
    embedded = encoder.embedded_stepper(rows)
    frozen = copy.deepcopy(encoder).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(1.0)
    state = known_state = expected_state = frozen.start(BATCH)
    for t, numbers in enumerate(torch.arange(len(rows)).view(BATCH, -1).unbind(1)):
        x = rows[numbers]
        output, state = stepper(x, state)
        known, known_state = embedded(numbers, known_state)
        expected, expected_state = frozen.step(x, expected_state)
        claim(not output.requires_grad, encoder, "the stepper's output requires gradients")
        claim(not known.requires_grad, encoder, "the stepper's output requires gradients")
        same(encoder, f"the stepper's output {t}", output, expected, SAME)
        same_state(encoder, f"the stepper's state {t}", state, expected_state, SAME)
        same(encoder, f"the embedded stepper's output {t}", known, expected, SAME)
        same_state(encoder, f"the embedded stepper's state {t}", known_state, expected_state, SAME)


@named
def check_dtype(factory: Build) -> None:
    """float32 stays float32, float64 stays float64, and autocast leaves the state in float32.

    Raises:
        AssertionError: If a dtype is another.
    """
    for dtype in (torch.float32, torch.float64):
        encoder = build(factory).to(dtype).eval()
        x = inputs().to(dtype)
        outputs, state = encoder(x)
        ways = {"forward": (outputs, state)}
        if encoder.causal:
            ways["step"] = encoder.step(x[:, 0], state)
            ways["stepper"] = encoder.stepper()(x[:, 0], state)
        for way, (output, after) in ways.items():
            found = {leaf.dtype for leaf in [output, *leaves(after)] if leaf.is_floating_point()}
            claim(found == {dtype}, encoder, f"{way} in {dtype} gives {found}")
    encoder = build(factory).float()
    x = inputs().float()
    with torch.autocast("cpu", torch.bfloat16):
        lengths = torch.tensor([3, TIME, 0, 5])
        states = [encoder(x)[1], encoder(x, None, lengths)[1]]
        if encoder.causal:
            states += [encoder(x, states[0])[1], encoder.step(x[:, 0], states[0])[1]]
    for leaf in leaves(tuple(states)):
        low = leaf.is_floating_point() and leaf.dtype != torch.float32
        claim(not low, encoder, f"under autocast a leaf of the state is {leaf.dtype}")


@named
def check_nothing_kept(factory: Build) -> None:
    """Keep nothing on the module: what was read before changes nothing, in any way of reading.

    Raises:
        AssertionError: If a second, fresh reading differs.
    """
    encoder = build(factory).eval()
    expected, expected_state = encoder(inputs())
    encoder(inputs(seed=1))
    if encoder.causal:
        encoder.step(inputs(seed=1)[:, 0], encoder.start(BATCH))
    outputs, state = encoder(inputs())
    same(encoder, "outputs of a second reading", outputs, expected, 0.0)
    same_state(encoder, "state of a second reading", state, expected_state, 0.0)


@named
def check_detach(factory: Build) -> None:
    """A detached state has no graph, and undrawn noise that the next chunk draws anew.

    Raises:
        AssertionError: If a graph or noise remains, or the next chunk cannot go on.
    """
    encoder = build(factory).train()
    state = detach(encoder(inputs())[1])
    for leaf in leaves(state):
        claim(not leaf.requires_grad, encoder, "a detached leaf requires gradients")
    claim(not has_drawn_noise(state), encoder, "noise is drawn after detach")
    if encoder.causal:
        outputs, _ = encoder(inputs(), state)
        claim(bool(outputs.isfinite().all()), encoder, "the next chunk is not finite")


@named
def check_misuse(factory: Build) -> None:
    """An encoder that is not causal refuses, clearly, to step and to go on from a state.

    Raises:
        AssertionError: If it does either, or fails otherwise than with a ValueError.
    """
    encoder = build(factory)
    if encoder.causal:
        return
    x, state = inputs(), encoder.start(BATCH)
    attempts: dict[str, Callable[[], object]] = {
        "forward with a state": lambda: encoder(x, state),
        "step": lambda: encoder.step(x[:, 0], state),
        "stepper": encoder.stepper,
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except ValueError:
            continue
        except Exception as error:
            raise AssertionError(
                message(encoder, f"{name} of one that is not causal raised {error!r}")
            ) from error
        raise AssertionError(message(encoder, f"{name} of one that is not causal did not raise"))


def _compare_ways(factory: Build, read: Callable[[Encoder, Tensor], tuple[Tensor, State]]) -> None:
    encoder = build(factory)
    if not encoder.causal:
        return
    for training in (False, True):
        if training and encoder.draws_per_step:
            continue  # a sequence and its steps draw in another order
        encoder.train(training)
        expected = run(encoder, inputs(), encoder)
        actual = run(encoder, inputs(), lambda x: read(encoder, x))
        mode = f"in {'training' if training else 'eval'}, {read.__name__.strip('_')}: "
        same(encoder, mode + "outputs", actual.outputs, expected.outputs, SAME)
        same_state(encoder, mode + "state", actual.state, expected.state, SAME)
        gradient = expected.input_gradient
        same(encoder, mode + "input gradient", actual.input_gradient, gradient, SAME)
        for name, gradient in expected.parameter_gradients.items():
            found = actual.parameter_gradients[name]
            same(encoder, mode + f"gradient of {name}", found, gradient, SAME)


def _as_chunks(encoder: Encoder, x: Tensor) -> tuple[Tensor, State]:
    first, state = encoder(x[:, :3])
    second, state = encoder(x[:, 3:4], state)
    third, state = encoder(x[:, 4:], state)
    return torch.cat([first, second, third], dim=1), state


def _as_steps(encoder: Encoder, x: Tensor) -> tuple[Tensor, State]:
    state, outputs = encoder.start(x.size(0)), []
    for x_t in x.unbind(1):
        output, state = encoder.step(x_t, state)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state


CHECKS: tuple[Check, ...] = (
    check_attributes,
    check_start,
    check_chunks,
    check_steps,
    check_padding,
    check_round_trip,
    check_rows,
    check_stepper,
    check_dtype,
    check_nothing_kept,
    check_detach,
    check_misuse,
)
