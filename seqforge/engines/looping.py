"""Many steps of a graph in one, each reading the token that the one before has drawn."""

from __future__ import annotations

from typing import Any

from seqforge.engines.packages import EXTRA
from seqforge.errors import require

INSIDE = "step/"
"""What the names of the graph that is repeated begin with."""


def loop_step(graph: bytes) -> bytes:
    """Repeat the graph of a step, with draws between, without a way back to Python.

    Each step takes the token that maximises `log p / temperature + noise`. With noise from the
    standard Gumbel distribution that is a draw from the tempered distribution (Gumbel 1954;
    Maddison et al. 2014).

    Inputs are `noise` `(T, N, V)` and `temperature`, in float64, before those of the step;
    outputs `drawn` `(T, N)`, their `scores` `(T, N)` in float32 under the model, and the leaves of
    the state after all steps, `next.…`. T is the length of the noise.

    Args:
        graph: As from `export_step`.

    Returns:
        The graph with its weights.

    Raises:
        MissingExtra: The packages are not installed.
    """
    onnx = require("onnx", EXTRA)
    before = onnx.load_model_from_string(graph)
    inner = onnx.compose.add_prefix(before, INSIDE)
    log_probs, *leaves = before.graph.output
    _, size = log_probs.type.tensor_type.shape.dim
    names = [each.name for each in before.graph.input]
    scan = onnx.helper.make_node(
        "Scan",
        [*names, "noise"],
        ["last", *[each.name for each in leaves], "drawn", "scores"],
        body=_body(onnx, inner.graph),
        num_scan_inputs=1,
    )
    value, types = onnx.helper.make_tensor_value_info, onnx.TensorProto
    outer = onnx.helper.make_graph(
        [scan],
        "steps",
        [
            value("noise", types.DOUBLE, ["steps", "rows", size.dim_value]),
            value("temperature", types.DOUBLE, []),
            *before.graph.input,
        ],
        [
            value("drawn", types.INT64, ["steps", "rows"]),
            value("scores", types.FLOAT, ["steps", "rows"]),
            *leaves,
        ],
    )
    model = onnx.helper.make_model(
        outer, opset_imports=before.opset_import, ir_version=before.ir_version
    )
    data: bytes = model.SerializeToString()
    return data


def _body(onnx: Any, step: Any) -> Any:
    """Add a draw to the graph of a step: what `Scan` repeats.

    Args:
        onnx: The package.
        step: A graph; it is changed.

    Returns:
        The graph: tokens, state, noise to tokens, state, tokens, scores.
    """
    make, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    types = onnx.TensorProto
    log_probs, *leaves = step.output
    step.node.extend(
        [
            make("Cast", [log_probs.name], ["wide"], to=types.DOUBLE),
            make("ReduceMax", ["wide", "last_axis"], ["best"], keepdims=1),
            make("Sub", ["wide", "best"], ["below"]),  # no temperature then overflows
            make("Div", ["below", "temperature"], ["tempered"]),
            make("Add", ["tempered", "noise_of_step"], ["noisy"]),
            make("ArgMax", ["noisy"], ["column"], axis=1, keepdims=1),
            make("GatherElements", [log_probs.name, "column"], ["score_column"], axis=1),
            make("Squeeze", ["column", "last_axis"], ["token"]),
            make("Squeeze", ["score_column", "last_axis"], ["score"]),
            make("Identity", ["token"], ["token_again"]),
        ]
    )
    step.initializer.append(onnx.helper.make_tensor("last_axis", types.INT64, [1], [1]))
    step.input.append(value("noise_of_step", types.DOUBLE, None))
    del step.output[:]
    step.output.extend(
        [
            value("token", types.INT64, None),
            *leaves,
            value("token_again", types.INT64, None),
            value("score", types.FLOAT, None),
        ]
    )
    return step
