"""One step of a network as an ONNX graph."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from seqforge.engines.leaf_names import leaf_names
from seqforge.engines.merging import merge_products
from seqforge.engines.packages import EXTRA, quiet
from seqforge.errors import UserError, require
from seqforge.state import State, leaves, map_state, row_leaves, select_items

EXAMPLE_ROWS = 3
"""Rows of the example that is traced: 0 and 1 would be taken for constants."""


class _FlatStep(nn.Module):
    """A network's step with the state's leaves as arguments and results of their own."""

    def __init__(self, network: nn.Module, structure: State) -> None:
        super().__init__()
        self.network = network
        self._structure = structure

    def forward(self, tokens: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        given = iter(state)
        log_probs, after = self.network(tokens, map_state(lambda _: next(given), self._structure))
        return log_probs, *leaves(after)


def export_step(network: nn.Module, state: State) -> bytes:
    """Write one step of a network as an ONNX graph in float32, for any number of rows.

    Inputs are `tokens` `(N,)` and the leaves of the state, `state.…`; outputs `log_probs`
    `(N, V)` and the leaves after the step, `next.…`. The network is copied, in evaluation mode, and
    its products are merged (`merge_products`).

    Args:
        network: `(tokens (N,), state) -> (log-probabilities (N, V), state)`.
        state: One that the network begins with, of one row.

    Returns:
        The graph with its weights, as an ONNX file holds it.

    Raises:
        MissingExtra: The packages are not installed.
        UserError: The network does what ONNX cannot express.
    """
    for package in ("onnx", "onnxscript"):
        require(package, EXTRA)
    frozen = copy.deepcopy(network).cpu().float().requires_grad_(False)
    chosen = torch.zeros(EXAMPLE_ROWS, dtype=torch.int64)
    example = select_items(map_state(plain, state), chosen)
    tensors = leaves(example)
    rows = torch.export.Dim.DYNAMIC  # which rows are equally many is found out in tracing
    with_rows = {id(leaf) for leaf in row_leaves(example)}
    dynamic = tuple({0: rows} if id(leaf) in with_rows else None for leaf in tensors)
    with quiet(), torch.no_grad():
        try:
            program = torch.onnx.export(
                _FlatStep(frozen, example).eval(),
                (chosen, *tensors),
                dynamo=True,
                input_names=["tokens", *leaf_names(example, "state")],
                output_names=["log_probs", *leaf_names(example, "next")],
                dynamic_shapes=({0: rows}, dynamic),
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            raise UserError(
                f"one step of this network cannot be written as an ONNX graph: {_reason(error)}",
                where="--engine",
                todo="use --engine torch; an encoder's `step` must do the same for every batch",
            ) from error
    assert program is not None  # it is only for the exporter before this one
    try:
        data: bytes = merge_products(program.model_proto).SerializeToString()
    except require("onnx_ir", EXTRA).passes.PassError as error:
        raise UserError(
            f"the graph of this network's step cannot be simplified: {_reason(error)}",
            where="--engine",
            todo="use --engine torch",
        ) from error
    return data


def plain(leaf: Tensor) -> Tensor:
    """Bring a leaf where graphs run: on the CPU, numbers in float32."""
    leaf = leaf.detach().cpu()
    return leaf.float() if leaf.is_floating_point() else leaf


def _reason(error: BaseException) -> str:
    """Return the first line of what went wrong at the bottom."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
