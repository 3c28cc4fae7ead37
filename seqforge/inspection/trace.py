"""A whole text read step by step, with everything that the encoder does kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from seqforge.encoders import Encoder, LayerActivations
from seqforge.state import State, concatenate
from seqforge.task import Reading


class Trace(NamedTuple):
    """What an encoder did while it read a text of `T` positions.

    Attributes:
        before: The state before each step, leaves `(T, …)`: row t is what step t starts from.
        outputs: `(T, O)`.
        layers: The activations of each layer, first layer first: units and gates `(T, H)`.
    """

    before: State
    outputs: Tensor
    layers: list[LayerActivations]


def trace(reading: Reading) -> Trace:
    """Read a text from the encoder's start, step by step.

    Args:
        reading: At least one position.

    Returns:
        Everything without gradients, on the encoder's device.

    Raises:
        EncoderError: If the encoder is not causal.
    """
    encoder = reading.encoder
    encoder.require_causal("be looked into step by step")
    inputs = reading.inputs[0]  # (T, I)
    step = encoder.stepper()
    state = encoder.start(1)
    states, outputs = [], []
    with torch.no_grad():
        for x in inputs:
            states.append(state)
            output, state = step(x[None], state)
            outputs.append(output)
        before = concatenate(states)
        # Rows are independent of each other, so that all steps can be looked into as one batch.
        with evaluating([encoder]):
            layers = encoder.activations(inputs, before)
    return Trace(before, torch.cat(outputs), layers)


def gate_names(layers: list[LayerActivations]) -> list[str]:
    """List the gates that the first layer with any has; empty if there are none."""
    gates: list[Mapping[str, Tensor]] = [layer.gates for layer in layers if layer.gates]
    return list(gates[0]) if gates else []


@contextmanager
def evaluating(encoders: Sequence[Encoder]) -> Iterator[None]:
    """Let encoders read without dropout, and put the mode of each of their modules back."""
    modules = [module for encoder in encoders for module in encoder.modules()]
    modes = [module.training for module in modules]
    for encoder in encoders:
        encoder.eval()
    try:
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
