"""Back-pointers: a search's steps are noted as they are, and only the winners are walked back.

A step then costs the same however many tokens came before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqforge.state import State, leaves, map_state

Numbers = NDArray[np.int64]


class Ends(NamedTuple):
    """Where hypotheses end.

    Attributes:
        items: The item that each one belongs to (H,).
        lengths: Its number of tokens (H,), the end mark not counted.
        slots: Its slot of the beam after so many tokens (H,).
        finished: Whether the end mark followed (H,), bool.
    """

    items: Numbers
    lengths: Numbers
    slots: Numbers
    finished: NDArray[np.bool_]


class _Step(NamedTuple):
    """One step of `A` items, from `w` slots each to `W`."""

    items: Tensor  # (A,)
    parents: Tensor  # (A, W), which of the item's rows before the step
    tokens: Tensor  # (A, W)
    trace: State  # leaves (A * w, …)
    width: int  # w


class Paths:
    """The steps of a search, and the way back from an end to its beginning."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []

    def add(self, items: Tensor, parents: Tensor, tokens: Tensor, trace: State) -> None:
        """Note a step.

        Args:
            items: The items that took part (A,).
            parents: For each slot after the step, the slot before it that it goes on from (A, W).
            tokens: The token that each slot has got (A, W).
            trace: The model's trace of the step: leaves `(A * w, …)`, w slots before the step.
        """
        width = self._steps[-1].tokens.shape[1] if self._steps else 1
        self._steps.append(_Step(items, parents, tokens, trace, width))

    def follow(self, ends: Ends) -> list[tuple[tuple[int, ...], State]]:
        """Walk from each end to the beginning.

        Args:
            ends: Where to start.

        Returns:
            For each end its tokens, and the trace of its steps: leaves `(L, …)` on the CPU, L the
            number of tokens with the end mark; None if the model gives none.
        """
        if not len(ends.items):
            return []
        traced = ends.lengths + ends.finished  # steps of each one
        tokens = np.zeros((len(ends.items), int(ends.lengths.max())), dtype=np.int64)
        traces = _Traces(self._steps[0].trace, len(traced), int(traced.max()))
        slots = ends.slots.copy()
        for number in reversed(range(int(traced.max()))):
            step = self._steps[number]
            rows = _positions(step.items, ends.items)
            going = np.flatnonzero(ends.lengths > number)
            if len(going):
                place = rows[going], slots[going]
                tokens[going, number] = step.tokens.cpu().numpy()[place]
                slots[going] = step.parents.cpu().numpy()[place]
            here = np.flatnonzero(traced > number)
            traces.put(here, number, step.trace, rows[here] * step.width + slots[here])
        return [
            (tuple(row[:length].tolist()), trace)
            for row, length, trace in zip(tokens, ends.lengths, traces.cut(traced), strict=True)
        ]


class _Traces:
    """The traces of H paths, one buffer for each leaf."""

    def __init__(self, like: State, paths: int, steps: int) -> None:
        self._like = like
        self._buffers = [leaf.new_zeros(paths, steps, *leaf.shape[1:]) for leaf in leaves(like)]

    def put(self, paths: Numbers, number: int, trace: State, rows: Numbers) -> None:
        for buffer, leaf in zip(self._buffers, leaves(trace), strict=True):
            index = torch.from_numpy(rows).to(leaf.device)
            buffer[torch.from_numpy(paths).to(leaf.device), number] = leaf[index]

    def cut(self, lengths: Numbers) -> Iterator[State]:
        buffers = [buffer.cpu() for buffer in self._buffers]
        for path, length in enumerate(lengths.tolist()):
            # Copies, so that one kept path does not hold all the others in memory.
            own = [buffer[path, :length].clone() for buffer in buffers]
            yield _filled(self._like, own)


def _filled(like: State, values: list[Tensor]) -> State:
    """Return a state of one structure with other leaves, given in order."""
    following = iter(values)
    return map_state(lambda _: next(following), like)


def _positions(items: Tensor, wanted: Numbers) -> Numbers:
    """Return where each wanted item stands among `items`; for one that is not there, anything."""
    found = items.cpu().numpy()
    positions = np.zeros(max(int(found.max()), int(wanted.max())) + 1, dtype=np.int64)
    positions[found] = np.arange(len(found))
    return positions[wanted]
