"""Recurrent state as a plain value, and the few functions that everything else needs.

A state is a nest of NamedTuples and tuples whose leaves are tensors or None. Every tensor has the
batch as its first dimension, `(B, …)`, and is float32 or float64, never lower: a state in half
precision loses what it carries over long sequences. Three wrappers mark what is not an ordinary
row: `Fixed`, `Noise` and `Shared`. No module keeps a state on itself; it is handed in and out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

State = Any


class Fixed(NamedTuple):
    """One row per item, the same for all its beams: reordering and repeating leave it alone."""

    value: Any


class Noise(NamedTuple):
    """What chance chose for this sequence, such as dropout masks; None: not drawn yet.

    `detach`, the boundary of truncated backpropagation, makes it undrawn, so that the next chunk
    draws anew.
    """

    value: Any


class Shared(NamedTuple):
    """One value for the whole batch, without a batch dimension: no row function touches it."""

    value: Any


def map_state(function: Callable[[Tensor], Any], state: State) -> State:
    """Apply a function to every tensor of a state, inside the wrappers too.

    Args:
        function: Takes one leaf `(B, …)`; what it returns stands in the leaf's place.
        state: Nested tuples and NamedTuples of tensors and None.

    Returns:
        The same nest, of the same types; None stays None.

    Raises:
        TypeError: If something else than a tuple, a tensor or None is found in the state.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        return function(state)
    return _rebuild(state, [map_state(function, child) for child in _children(state)])


def leaves(state: State) -> list[Tensor]:
    """List every tensor of a state, inside the wrappers too, in order."""
    found: list[Tensor] = []
    map_state(found.append, state)
    return found


def widen(state: State) -> State:
    """Raise leaves of lower precision, such as bfloat16 from autocast, to float32."""
    return map_state(lambda leaf: leaf.float() if _is_low(leaf) else leaf, state)


def detach(state: State) -> State:
    """Cut the graph, as truncated backpropagation does between chunks, and undraw all noise."""
    if isinstance(state, Noise):
        return Noise(None)
    return _descend(detach, Tensor.detach, state)


def select(state: State, rows: Tensor) -> State:
    """Take rows of a state, with repetition if wanted, as a beam search reorders its beams.

    Args:
        state: Leaves `(B, …)`; what is `Fixed` or `Shared` stays as it is.
        rows: `(N,)` int64 indices, or `(B,)` bool.

    Returns:
        The state with leaves `(N, …)`.
    """
    if isinstance(state, (Fixed, Shared)):
        return state
    return _descend(lambda child: select(child, rows), lambda leaf: leaf[rows], state)


def select_items(state: State, items: Tensor) -> State:
    """Take rows of a state and of what is `Fixed` in it, as when finished items are dropped.

    Args:
        state: Leaves `(B, …)`, one row per item; what is `Shared` stays as it is.
        items: `(N,)` int64 indices, or `(B,)` bool.

    Returns:
        The state with leaves `(N, …)`.
    """
    if isinstance(state, Shared):
        return state
    return _descend(lambda child: select_items(child, items), lambda leaf: leaf[items], state)


def select_fixed(state: State, items: Tensor) -> State:
    """Take rows of what is `Fixed` alone, as when a beam search drops the beams of an item.

    Args:
        state: Ordinary leaves of any number of rows, which stay as they are; what is `Fixed` has
            leaves `(B, …)`.
        items: `(N,)` int64 indices, or `(B,)` bool.

    Returns:
        The state; what is `Fixed` has leaves `(N, …)`.
    """
    if isinstance(state, Shared):
        return state
    if isinstance(state, Fixed):
        return select_items(state, items)
    return _descend(lambda child: select_fixed(child, items), lambda leaf: leaf, state)


def row_leaves(state: State) -> list[Tensor]:
    """List the tensors of a state that have a row for each item: all but what is `Shared`."""
    found: list[Tensor] = []

    def note(leaf: Tensor) -> Tensor:
        found.append(leaf)
        return leaf

    def visit(part: State) -> State:
        return part if isinstance(part, Shared) else _descend(visit, note, part)

    visit(state)
    return found


def concatenate(states: Sequence[State]) -> State:
    """Put the rows of several states one after the other.

    Args:
        states: At least one state; all of one structure, leaves `(B_1, …)`, `(B_2, …)`, ….

    Returns:
        The state with leaves `(B_1 + B_2 + …, …)`. Noise is undrawn; what is `Shared` is that of
        the first state.
    """
    first = states[0]
    if isinstance(first, Noise):
        return Noise(None)
    if first is None or isinstance(first, Shared):
        return first
    if isinstance(first, Tensor):
        return torch.cat(list(states))
    return _rebuild(first, [concatenate(parts) for parts in zip(*states, strict=True)])


def repeat(state: State, times: int) -> State:
    """Repeat each row in place, `a a b b`, as when a beam search opens its beams.

    Args:
        state: Leaves `(B, …)`; what is `Fixed` or `Shared` stays as it is.
        times: How often each row is to appear.

    Returns:
        The state with leaves `(B * times, …)`.
    """
    if isinstance(state, (Fixed, Shared)):
        return state
    return _descend(
        lambda child: repeat(child, times),
        lambda leaf: leaf.repeat_interleave(times, dim=0),
        state,
    )


def reset(state: State, mask: Tensor, start: State) -> State:
    """Begin some rows anew.

    Args:
        state: Leaves `(B, …)`.
        mask: `(B,)` bool; True: take this row from `start`.
        start: A state of the same structure.

    Returns:
        The mixed state. Noise is undrawn if it is undrawn in either; what is `Shared` is kept.

    Raises:
        ValueError: If the two states differ in structure.
    """
    if isinstance(state, Noise) and (state.value is None or _undrawn(start)):
        return Noise(None)
    if isinstance(state, Shared):
        return state
    return _mix(lambda a, b: reset(a, mask, b), state, mask, start)


def hold(state: State, mask: Tensor, before: State) -> State:
    """Keep some rows as they were before a step, as at padding.

    Args:
        state: The state after the step, leaves `(B, …)`.
        mask: `(B,)` bool; True: this row stays as in `before`.
        before: The state before the step, of the same structure.

    Returns:
        The mixed state. What is `Noise`, `Fixed` or `Shared` is that of `state`, so that noise
        drawn in the step stays drawn.

    Raises:
        ValueError: If the two states differ in structure.
    """
    if isinstance(state, (Noise, Fixed, Shared)):
        return state
    return _mix(lambda a, b: hold(a, mask, b), state, mask, before)


def to_plain(state: State) -> Any:
    """Turn a state into plain tuples of detached copies, which `torch.load` reads as weights only.

    Args:
        state: Any state.

    Returns:
        Nested tuples of tensors and None.
    """
    if isinstance(state, tuple):
        return tuple(to_plain(child) for child in state)
    return map_state(lambda leaf: leaf.detach().clone(), state)


def from_plain(plain: Any, like: State) -> State:
    """Give a plain nest of tensors the types, device and dtype of a state.

    Args:
        plain: What `to_plain` gave: nested tuples or lists of tensors and None.
        like: A state of the wanted structure, such as `encoder.start(1)`.

    Returns:
        The state, with the number of rows that `plain` has.

    Raises:
        ValueError: If the structure differs, or a shape after the batch dimension.
    """
    return _from_plain(plain, like, path="state", shared=False)


def _from_plain(plain: Any, like: State, path: str, *, shared: bool) -> State:
    if like is None and plain is None:
        return None
    if isinstance(like, Tensor) and isinstance(plain, Tensor):
        first = 0 if shared else 1  # the batch may have another size
        if like.shape[first:] != plain.shape[first:] or like.dim() != plain.dim():
            raise ValueError(
                f"{path}: the saved tensor has shape {tuple(plain.shape)}, "
                f"this model's state has {tuple(like.shape)}"
            )
        return plain.to(device=like.device, dtype=like.dtype)
    nested = isinstance(like, tuple) and isinstance(plain, (tuple, list))
    if nested and len(like) == len(plain):
        if isinstance(like, Noise) and plain[0] is None:
            return Noise(None)
        inside = shared or isinstance(like, Shared)
        names = getattr(like, "_fields", range(len(like)))
        pairs = zip(names, plain, like, strict=True)
        return _rebuild(
            like,
            [_from_plain(p, child, f"{path}.{name}", shared=inside) for name, p, child in pairs],
        )
    raise ValueError(f"{path}: saved was {_form(plain)}, this model's state has {_form(like)}")


def _form(value: Any) -> str:
    """Say in a word or two what stands at one place of a nest."""
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return "nothing" if value is None else f"a {type(value).__name__}"


def _children(state: State) -> tuple[Any, ...]:
    if not isinstance(state, tuple):
        raise TypeError(
            f"a state holds tuples, NamedTuples, tensors and None, not a {type(state).__name__}"
        )
    return state


def _rebuild(like: State, children: list[Any]) -> State:
    """Make a tuple, or a NamedTuple of the same type, of new children."""
    make = getattr(type(like), "_make", type(like))
    return make(children)


def _descend(
    function: Callable[[State], State], at_leaf: Callable[[Tensor], Tensor], state: State
) -> State:
    """Apply a function to the children of a tuple, or `at_leaf` to a tensor or None."""
    if isinstance(state, tuple):
        return _rebuild(state, [function(child) for child in state])
    return map_state(at_leaf, state)


def _mix(
    function: Callable[[State, State], State], state: State, mask: Tensor, other: State
) -> State:
    """Go down two states together; at a leaf, masked rows `(B,)` come from the other one."""
    if isinstance(state, Tensor) and isinstance(other, Tensor):
        chosen = mask.reshape(-1, *[1] * (state.dim() - 1))  # (B,) -> (B, 1, …)
        return torch.where(chosen, other, state)
    if state is None and other is None:
        return None
    if type(state) is type(other) and isinstance(state, tuple) and len(state) == len(other):
        return _rebuild(state, [function(a, b) for a, b in zip(state, other, strict=True)])
    raise ValueError(f"the states differ in structure: {_form(state)} and {_form(other)}")


def _undrawn(state: State) -> bool:
    return isinstance(state, Noise) and state.value is None


def _is_low(leaf: Tensor) -> bool:
    return leaf.is_floating_point() and leaf.dtype not in (torch.float32, torch.float64)
