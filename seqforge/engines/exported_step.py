"""Steps of an exported network by ONNX Runtime."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seqforge.decoding.step import StepOut
from seqforge.engines.exporting import EXTRA, plain
from seqforge.engines.leaf_names import leaf_names
from seqforge.errors import require
from seqforge.state import State, leaves, map_state


class ExportedStep:
    """A `Step` for decoding that ONNX Runtime takes, on the CPU, with as many threads as PyTorch.

    Args:
        graph: As from `export_step` or `quantize`.
        state: One of the structure that the network had when it was exported.

    Raises:
        MissingExtra: The package is not installed.
    """

    def __init__(self, graph: bytes, state: State) -> None:
        runtime = require("onnxruntime", EXTRA)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._names = leaf_names(state, "state")

    def __call__(self, tokens: Tensor, state: State) -> StepOut:
        """Read one token per row.

        Args:
            tokens: `(N,)` int64.
            state: The state before them, N rows.

        Returns:
            Log-probabilities `(N, V)` float32 and the state after the step, on the CPU.
        """
        inputs: dict[str, Any] = {"tokens": tokens.cpu().numpy()}
        for name, leaf in zip(self._names, leaves(state), strict=True):
            inputs[name] = _array(leaf)
        log_probs, *after = self._session.run(None, inputs)
        given = iter(after)
        return StepOut(
            torch.from_numpy(log_probs),
            map_state(lambda _: torch.from_numpy(next(given)), state),
        )


def _array(leaf: Tensor) -> Any:
    """Return the numbers of a leaf, by as few calls as will do."""
    ready = leaf.is_cpu and leaf.dtype == torch.float32
    return (leaf.detach() if ready else plain(leaf)).numpy()
