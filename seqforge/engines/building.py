"""An engine for a network, by name."""

from __future__ import annotations

from typing import Literal

from torch import nn

from seqforge.decoding.step import Step
from seqforge.engines.exported_step import ExportedStep
from seqforge.engines.exporting import export_step
from seqforge.engines.quantizing import quantize
from seqforge.state import State


def engine_step(engine: Literal["onnx", "int8"], network: nn.Module, state: State) -> Step:
    """Make an engine that takes a network's steps, with the weights as they are now.

    It takes seconds: make it once for many steps.

    Args:
        engine: "onnx" or "int8". PyTorch needs no engine: an encoder's `stepper` is one.
        network: `(tokens (N,), state) -> (log-probabilities (N, V), state)`; see
            `export_step`.
        state: One that the network begins with, of one row.

    Returns:
        The step, on the CPU and in float32, for any number of rows.

    Raises:
        MissingExtra: The packages are not installed.
        UserError: The network does what ONNX cannot express.
    """
    graph = export_step(network, state)
    return ExportedStep(quantize(graph) if engine == "int8" else graph, state)
