"""Batches of similar length under a budget of tokens, so that little of them is padding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqforge.data.permutation import permutation_key, permuted
from seqforge.errors import UserError

Lengths = NDArray[np.int64]

_BATCHES, _SAMPLES = 0, 1  # what is permuted

_BLOCK = 128
"""Places of the batches' order that are worked out at once: 128 cost little more than one."""


@runtime_checkable
class Padded(Protocol):
    """A plan, or samples, that know how much of the batches is padding."""

    def padding(self) -> float:
        """Return the share of all batches' tokens that is padding, 0 to 1."""
        ...


class TokenBudgetPlan:
    """Every sample once an epoch, in batches of similar length of at most `max_tokens`.

    A batch's size counts padding: rows times the longest row. Where samples have two sides, as
    source and target of a translation, it is rows times (longest source + longest target), since
    memory and time go with both. Samples are sorted by length and cut greedily; every epoch, those
    of equal length change places and the batches are shuffled. Cuts depend on lengths alone, so all
    epochs have the same number of batches. Batches of few long samples may have fewer rows than
    there are processes: some of these then compute fillers.

    Nothing is drawn for a whole epoch: a batch costs much the same first or last, whatever the
    number of samples, of which the plan keeps nothing but the order.

    Args:
        lengths: Length of each sample (N,), or of each of its sides (N, S).
        max_tokens: Tokens in a batch at most, padding included, over all processes together.
        seed: What the order is drawn from.
        shuffle: False keeps the order of lengths, for validation.
        batch_size: Rows of a batch at most; None: as many as the budget allows.
        width: Lengths that differ by less may change places: wider, batches are mixed better from
            epoch to epoch and have a little more padding.

    Raises:
        UserError: A sample alone exceeds the budget.
        ValueError: There is no sample, or a number is out of range.
    """

    def __init__(
        self,
        lengths: ArrayLike,
        max_tokens: int,
        seed: int = 0,
        shuffle: bool = True,
        batch_size: int | None = None,
        width: int = 1,
    ) -> None:
        sides = _sides(lengths)
        if min(max_tokens, width, 1 if batch_size is None else batch_size) < 1:
            raise ValueError("max_tokens, batch_size and width must be at least 1")
        _require_fitting(sides, max_tokens)
        self.max_tokens = max_tokens
        self.seed = seed
        self.shuffle = shuffle
        rounded = -(-sides // width)
        self._order = _sorted(rounded)
        rounded = rounded[self._order] * width
        self._cuts = _cuts(rounded, max_tokens, batch_size or len(sides))
        changes = np.flatnonzero((rounded[1:] != rounded[:-1]).any(axis=1)) + 1
        # Equal lengths run from each of these places to the next.
        self._runs: Lengths = np.concatenate([[0], changes, [len(sides)]])
        self._padding = _padding(sides[self._order], self._cuts)

    def batches(self) -> int:
        """Return the number of batches in an epoch."""
        return len(self._cuts) - 1

    def batch(self, epoch: int, index: int) -> Sequence[int]:
        """Return the global sample numbers of batch `index` of `epoch`."""
        if self.shuffle:
            block, place = divmod(index, _BLOCK)
            index = int(_batch_order(self.batches(), self.seed, epoch, block)[place])
        places = np.arange(self._cuts[index], self._cuts[index + 1])
        if self.shuffle:
            run = np.searchsorted(self._runs, places, side="right") - 1
            first, last = self._runs[run], self._runs[run + 1]
            key = _key(self.seed, epoch, _SAMPLES)
            places = first + permuted(places - first, last - first, run, key)
        return [int(number) for number in self._order[places]]

    def padding(self) -> float:
        """Return the share of all batches' tokens that is padding, 0 to 1.

        With a width above 1 it differs a little from epoch to epoch; this is the unshuffled one's.
        """
        return self._padding


_key = lru_cache(maxsize=8)(permutation_key)


@lru_cache(maxsize=8)
def _batch_order(batches: int, seed: int, epoch: int, block: int) -> Lengths:
    """Return which batches stand at the places of a block of an epoch's order."""
    places = np.arange(block * _BLOCK, min((block + 1) * _BLOCK, batches))
    one = np.zeros(1, dtype=np.int64)
    order = permuted(places, one + batches, one, _key(seed, epoch, _BATCHES))
    order.flags.writeable = False  # others get the same array
    return order


def padding_share(loader: object) -> float | None:
    """Return the share of padding in a loader's batches.

    Its plan or its samples may know it; None where neither does.
    """
    for part in (getattr(loader, "plan", None), getattr(loader, "samples", None)):
        if isinstance(part, Padded):
            return part.padding()
    return None


def _sides(lengths: ArrayLike) -> Lengths:
    """Return lengths as (N, S)."""
    array = np.asarray(lengths, dtype=np.int64)
    sides = array[:, None] if array.ndim == 1 else array
    if sides.ndim != 2 or sides.size == 0 or sides.min() < 0:
        raise ValueError(
            "a plan needs lengths (N,) or (N, S) of at least one sample, none negative"
        )
    return sides


def _require_fitting(sides: Lengths, max_tokens: int) -> None:
    sizes = sides.sum(axis=1)
    longest = int(sizes.argmax())
    if sizes[longest] > max_tokens:
        raise UserError(
            f"sample {longest} has {sizes[longest]} tokens, more than a batch may have: "
            f"max_tokens is {max_tokens}",
            todo=f"raise max_tokens to {sizes[longest]} or leave out longer samples",
        )


def _sorted(sides: Lengths) -> Lengths:
    """Return the samples' numbers by ascending first side, then by the second, and so on."""
    columns = [sides[:, 0]]
    for side in sides.T[1:]:
        # Up and down in turn, so that neighbours stay alike where the side before it changes.
        columns.append(np.where(columns[-1] % 2 == 0, side, -side))
    return np.lexsort(columns[::-1])


def _cuts(ordered: Lengths, max_tokens: int, batch_size: int) -> Lengths:
    """Return where samples in order are cut into batches: as many rows as fit, then anew."""
    cuts = [0]
    while cuts[-1] < len(ordered):
        first = cuts[-1]
        # No more rows than this fit, as the longest is at least as long as the first.
        most = min(batch_size, max(1, max_tokens // max(1, int(ordered[first].sum()))))
        longest = np.maximum.accumulate(ordered[first : first + most], axis=0).sum(axis=1)
        sizes = np.arange(1, len(longest) + 1) * longest  # ascending, as both factors are
        # A sample that fits may exceed the budget when its length is rounded up.
        cuts.append(first + max(1, int(np.searchsorted(sizes, max_tokens, side="right"))))
    return np.asarray(cuts, dtype=np.int64)


def _padding(ordered: Lengths, cuts: Lengths) -> float:
    longest = np.maximum.reduceat(ordered, cuts[:-1]).sum(axis=1)
    return 1.0 - float(ordered.sum()) / max(1.0, float((np.diff(cuts) * longest).sum()))
