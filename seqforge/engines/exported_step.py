"""Steps of an exported network by ONNX Runtime."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqforge.decoding.step import Drawn, StepOut
from seqforge.engines.exporting import plain
from seqforge.engines.leaf_names import leaf_names
from seqforge.engines.looping import OUTSIDE, loop_step
from seqforge.engines.packages import EXTRA
from seqforge.errors import require
from seqforge.state import State, leaves, map_state


class ExportedStep:
    """A `DrawingStep` that ONNX Runtime takes, on the CPU, with as many threads as PyTorch.

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
        self._runtime, self._options, self._graph = runtime, options, graph
        self._names = leaf_names(state, "state")

    def __call__(self, tokens: Tensor, state: State) -> StepOut:
        """Read one token per row.

        Args:
            tokens: `(N,)` int64.
            state: The state before them, N rows.

        Returns:
            Log-probabilities `(N, V)` float32 and the state after the step, on the CPU.
        """
        log_probs, *after = self._single.run(None, self._inputs(tokens, state))
        return StepOut(torch.from_numpy(log_probs), _state(after, state))

    def draw(self, tokens: Tensor, state: State, noise: Tensor, temperature: float) -> Drawn:
        """Read a token per row and write on, all steps in one call; see `DrawingStep`.

        Args:
            tokens: `(N,)` int64.
            state: The state before them, N rows.
            noise: `(T, N, V)` float64.
            temperature: Above 0.

        Returns:
            The tokens, their log-probabilities, and the state after T steps, on the CPU.
        """
        inputs = self._inputs(tokens, state) | {
            "noise": noise.numpy(),
            "temperature": np.array(temperature, dtype=np.float64),
        }
        inputs = {f"{OUTSIDE}{name}": array for name, array in inputs.items()}
        drawn, scores, *after = self._repeated.run(None, inputs)
        return Drawn(torch.from_numpy(drawn), torch.from_numpy(scores), _state(after, state))

    @cached_property
    def num_tokens(self) -> int:
        """`V`, the number of tokens."""
        noise, *_ = self._repeated.get_inputs()
        size: int = noise.shape[-1]
        return size

    @cached_property
    def _single(self) -> Any:
        return self._session(self._graph)

    @cached_property
    def _repeated(self) -> Any:
        return self._session(loop_step(self._graph))

    def _session(self, graph: bytes) -> Any:
        return self._runtime.InferenceSession(
            graph, self._options, providers=["CPUExecutionProvider"]
        )

    def _inputs(self, tokens: Tensor, state: State) -> dict[str, Any]:
        inputs = {"tokens": tokens.cpu().numpy()}
        for name, leaf in zip(self._names, leaves(state), strict=True):
            inputs[name] = _array(leaf)
        return inputs


def _state(arrays: list[Any], like: State) -> State:
    given = iter(arrays)
    return map_state(lambda _: torch.from_numpy(next(given)), like)


def _array(leaf: Tensor) -> Any:
    """Return the numbers of a leaf, by as few calls as will do."""
    ready = leaf.is_cpu and leaf.dtype == torch.float32
    return (leaf.detach() if ready else plain(leaf)).numpy()
