"""Many steps of a graph in one, each reading the token that the one before has drawn."""

from __future__ import annotations

from typing import Any

from seqforge.engines.packages import EXTRA
from seqforge.errors import require

OUTSIDE = "loop/"
"""What the names of inputs and outputs begin with, beside those of the step that is repeated."""

DRAW = "draw/"
"""What the names of a draw's values begin with."""


def loop_step(graph: bytes) -> bytes:
    """Repeat the graph of a step, with draws between, without a way back to Python.

    Each step takes the token that maximises `log p / temperature + noise`. With noise from the
    standard Gumbel distribution that is a draw from the tempered distribution (Gumbel 1954;
    Maddison et al. 2014).

    Inputs are `noise` `(T, N, V)` and `temperature`, in float64, before those of the step;
    outputs `drawn` `(T, N)`, their `scores` `(T, N)` in float32 under the model, and the leaves of
    the state after all steps, `next.…`. T is the length of the noise. All names begin with `loop/`.

    Args:
        graph: As from `export_step`.

    Returns:
        The graph with its weights.

    Raises:
        MissingExtra: The packages are not installed.
    """
    onnx = require("onnx", EXTRA)
    step = onnx.load_model_from_string(graph)
    log_probs, *leaves = step.graph.output
    _, size = log_probs.type.tensor_type.shape.dim
    value, types = onnx.helper.make_tensor_value_info, onnx.TensorProto
    inputs = [
        value(f"{OUTSIDE}noise", types.DOUBLE, ["steps", "rows", size.dim_value]),
        value(f"{OUTSIDE}temperature", types.DOUBLE, []),
        *_outside(onnx, step.graph.input),
    ]
    outputs = [
        value(f"{OUTSIDE}drawn", types.INT64, ["steps", "rows"]),
        value(f"{OUTSIDE}scores", types.FLOAT, ["steps", "rows"]),
        *_outside(onnx, leaves),
    ]
    noise, _, *before = [each.name for each in inputs]
    drawn, scores, *after = [each.name for each in outputs]
    scan = onnx.helper.make_node(
        "Scan",
        [*before, noise],
        [f"{OUTSIDE}last", *after, drawn, scores],
        body=_body(onnx, step.graph),
        num_scan_inputs=1,
    )
    model = onnx.helper.make_model(
        onnx.helper.make_graph([scan], "steps", inputs, outputs),
        opset_imports=step.opset_import,
        ir_version=step.ir_version,
    )
    data: bytes = model.SerializeToString()
    return data


def _outside(onnx: Any, values: Any) -> list[Any]:
    """Return inputs or outputs of a step under names outside of it, which must be others."""
    copies = []
    for each in values:
        copy = onnx.ValueInfoProto()
        copy.CopyFrom(each)
        copy.name = f"{OUTSIDE}{each.name}"
        copies.append(copy)
    return copies


def _body(onnx: Any, step: Any) -> Any:
    """Add a draw to the graph of a step: what `Scan` repeats.

    Args:
        onnx: The package.
        step: A graph; it is changed.

    Returns:
        The graph: tokens, state, noise to tokens, state, tokens, scores.
    """
    types, value = onnx.TensorProto, onnx.helper.make_tensor_value_info
    log_probs, *leaves = step.output

    def make(kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        node = onnx.helper.make_node(kind, inputs, [f"{DRAW}{output}"], **attributes)
        step.node.append(node)

    def here(*names: str) -> list[str]:
        return [f"{DRAW}{name}" for name in names]

    make("Cast", [log_probs.name], "wide", to=types.DOUBLE)
    make("ReduceMax", here("wide", "last_axis"), "best", keepdims=1)
    make("Sub", here("wide", "best"), "below")  # no temperature then overflows
    make("Div", [*here("below"), f"{OUTSIDE}temperature"], "tempered")
    make("Add", here("tempered", "noise"), "noisy")
    make("ArgMax", here("noisy"), "column", axis=1, keepdims=1)
    make("GatherElements", [log_probs.name, *here("column")], "score_column", axis=1)
    make("Squeeze", here("column", "last_axis"), "token")
    make("Squeeze", here("score_column", "last_axis"), "score")
    make("Identity", here("token"), "token_again")  # what is carried and what is given out differ
    step.initializer.append(onnx.helper.make_tensor(f"{DRAW}last_axis", types.INT64, [1], [1]))
    step.input.append(value(f"{DRAW}noise", types.DOUBLE, None))
    del step.output[:]
    step.output.extend(
        [
            value(f"{DRAW}token", types.INT64, None),
            *leaves,
            value(f"{DRAW}token_again", types.INT64, None),
            value(f"{DRAW}score", types.FLOAT, None),
        ]
    )
    return step
