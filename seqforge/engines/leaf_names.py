"""Names for the tensors of a state, as a graph's inputs and outputs have them."""

from __future__ import annotations

from torch import Tensor

from seqforge.state import State


def leaf_names(state: State, path: str) -> list[str]:
    """Name every tensor of a state after its place, in the order of `seqforge.state.leaves`.

    Args:
        state: Nested tuples and NamedTuples of tensors and None.
        path: What all names begin with.

    Returns:
        Names such as `state.layers.0.hidden`.
    """
    if state is None:
        return []
    if isinstance(state, Tensor):
        return [path]
    fields = getattr(state, "_fields", range(len(state)))
    return [
        name
        for field, child in zip(fields, state, strict=True)
        for name in leaf_names(child, f"{path}.{field}")
    ]
