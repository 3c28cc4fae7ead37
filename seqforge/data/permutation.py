"""Random permutations that are computed place by place instead of being stored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Key = NDArray[np.uint64]

_ROUNDS = 32

_SIGN, _LAST = np.uint64(63), np.uint64(31)
_MIXING = tuple(
    (np.uint64(shift), np.uint64(factor))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
)


def permutation_key(seed: int, epoch: int, purpose: int) -> Key:
    """Return what tells one permutation from all others.

    Args:
        seed: As given by the user, at least 0.
        epoch: At least 0.
        purpose: Tells permutations of one epoch apart.
    """
    words = np.random.SeedSequence([seed, epoch, purpose]).generate_state(2 * _ROUNDS, np.uint64)
    return words.astype(np.uint64)


def permuted(places: Places, size: Places, group: Places, key: Key) -> Places:
    """Return where a random permutation of `0 … size - 1` sends each place.

    In each round a place and its mirror image about a random point change places, or do not, by the
    toss of a coin that both of them share: a permutation of any size, without its inverse, a table
    or anything that depends on other places. Two places stay unrelated once one of them has moved
    without the other, so all but one pair in four billion are after 32 rounds. It takes some
    kilobytes a place while it works: places of a batch, not of a data set.

    Args:
        places: Places (N,), each below its size.
        size: Size of the permutation that each place belongs to (N,), or one for all (1,).
        group: Number of that permutation (N,) or (1,): each has an order of its own.
        key: From `permutation_key`.
    """
    sizes, groups = size.astype(np.uint64), _mixed(group.astype(np.uint64))
    here = places.astype(np.uint64)
    # What no place changes, for all rounds at once (R, N): few places cost little but calls.
    points = _mixed(groups ^ key[:_ROUNDS, None]) % sizes + sizes
    for point, coin in zip(points, groups ^ key[_ROUNDS:, None], strict=True):
        mirror = (point - here) % sizes
        tossed = _mixed(np.maximum(here, mirror) ^ coin)
        here = np.where(tossed >> _SIGN, mirror, here)
    return here.astype(np.int64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers of 64 bits whose every bit depends on every bit of the given ones."""
    # The multiplications are meant to overflow; each step can be undone, so none is lost.
    for shift, factor in _MIXING:
        numbers = (numbers ^ (numbers >> shift)) * factor
    return numbers ^ (numbers >> _LAST)
