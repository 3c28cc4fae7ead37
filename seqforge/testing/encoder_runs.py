"""What the encoder contract is checked with: fixed inputs, runs with gradients, comparisons."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from seqforge.encoders.base import Encoder
from seqforge.state import Noise, State, leaves

BATCH, TIME, FEATURES = 4, 7, 5

Build = Callable[[int], Encoder]
Read = Callable[[Tensor], tuple[Tensor, State]]


class Run(NamedTuple):
    """One reading, and the gradients of a weighted sum of its outputs and of its last state.

    Attributes:
        outputs: `(B, T, O)`.
        state: The last state.
        input_gradient: `(B, T, I)`.
        parameter_gradients: By parameter name.
    """

    outputs: Tensor
    state: State
    input_gradient: Tensor
    parameter_gradients: dict[str, Tensor]


def named(check: Callable[[Build], None]) -> Callable[[Build], None]:
    """Make whatever goes wrong in a check an AssertionError that begins with the check's name."""

    @functools.wraps(check)
    def wrapped(factory: Build) -> None:
        try:
            check(factory)
        except AssertionError as error:
            raise AssertionError(f"{check.__name__}: {error}") from error
        except Exception as error:
            name = getattr(getattr(factory, "func", factory), "__name__", repr(factory))
            raise AssertionError(f"{check.__name__}: {name}: {error!r}") from error

    return wrapped


def build(factory: Build) -> Encoder:
    """Build an encoder in float64, always with the same weights, none of them zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = factory(FEATURES).double()
        with torch.no_grad():
            for parameter in encoder.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return encoder


def inputs(seed: int = 0) -> Tensor:
    """Draw `(B, T, I)` inputs in float64, the same for the same seed."""
    return _draw((BATCH, TIME, FEATURES), seed)


def run(encoder: Encoder, x: Tensor, read: Read, first_row: int = 0) -> Run:
    """Read with gradients, under a fixed seed.

    Args:
        encoder: Whose parameters' gradients are wanted.
        x: `(b, t, I)`, the whole batch or some of its rows, from the first step on.
        read: How to read it.
        first_row: The place of the first row in the whole batch: the sum weighs it accordingly.

    Returns:
        Outputs, state and gradients.
    """
    x = x.detach().clone().requires_grad_()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        outputs, state = read(x)
    rows = slice(first_row, first_row + x.size(0))
    factors = _draw((BATCH, TIME, outputs.size(2)), seed=2)[rows, : x.size(1)]
    total = (outputs * factors).sum()
    for number, leaf in enumerate(leaves(state)):
        if leaf.requires_grad:  # masks do not
            total = total + (leaf * _draw((BATCH, *leaf.shape[1:]), seed=3 + number)[rows]).sum()
    named = dict(encoder.named_parameters())
    gradients = torch.autograd.grad(
        total, [x, *named.values()], allow_unused=True, materialize_grads=True
    )
    return Run(outputs.detach(), state, gradients[0], dict(zip(named, gradients[1:], strict=True)))


def message(encoder: Encoder, text: str) -> str:
    """Say which encoder, and what is wrong with it."""
    return f"{type(encoder).__name__}: {text}"


def claim(holds: bool, encoder: Encoder, text: str) -> None:
    """Fail with a message if something does not hold.

    Raises:
        AssertionError: If it does not.
    """
    if not holds:
        raise AssertionError(message(encoder, text))


def same(encoder: Encoder, what: str, actual: Tensor, expected: Tensor, tolerance: float) -> None:
    """Compare two tensors.

    Raises:
        AssertionError: If the shapes differ, or any element by more than the tolerance, relative
            to the largest expected one if that is above 1; NaN always differs.
    """
    shape(encoder, what, actual, tuple(expected.shape))
    if expected.numel() == 0:
        return
    difference = float((actual.detach() - expected.detach()).abs().max())
    allowed = tolerance * max(1.0, float(expected.detach().abs().max()))
    claim(
        difference <= allowed, encoder, f"{what} differ by {difference:.3g}, allowed {allowed:.3g}"
    )


def same_state(
    encoder: Encoder, what: str, actual: State, expected: State, tolerance: float
) -> None:
    """Compare two states, leaf by leaf.

    Raises:
        AssertionError: If they differ in structure or in a leaf.
    """
    claim(types(actual) == types(expected), encoder, f"{what}: the structures differ")
    for number, (a, b) in enumerate(zip(leaves(actual), leaves(expected), strict=True)):
        same(encoder, f"{what}, leaf {number}:", a, b, tolerance)


def shape(encoder: Encoder, what: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
    """Compare a shape.

    Raises:
        AssertionError: If it is another.
    """
    claim(
        tuple(tensor.shape) == expected,
        encoder,
        f"{what} should have shape {expected}, not {tuple(tensor.shape)}",
    )


def types(state: State) -> Any:
    """Give the types of a nest: a name for a leaf, a name and a list for a tuple."""
    if isinstance(state, tuple):
        return type(state).__name__, [types(child) for child in state]
    return type(state).__name__


def has_drawn_noise(state: State) -> bool:
    """Say whether any noise in the state is drawn."""
    if isinstance(state, Noise):
        return state.value is not None
    return isinstance(state, tuple) and any(has_drawn_noise(child) for child in state)


def _draw(size: tuple[int, ...], seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, generator=generator, dtype=torch.float64)
