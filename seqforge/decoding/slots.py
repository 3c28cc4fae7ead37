"""The slots of a beam: which continuations they take."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

# A multiple of the widest vector unit, near the square root of usual vocabularies.
_BLOCK = 64
# So many numbers are gone through faster than blocks are looked up.
_SMALL = 1 << 17
# So many numbers of a row, times those that are wanted, are faster gone through again and again.
_SHORT = 1 << 10


class Slots(NamedTuple):
    """A beam after a step.

    Attributes:
        totals: Log-probability of each slot's tokens (B, W); `-inf`: the slot is dead.
        parents: Which of the rows before the step each goes on from (B, W), int64.
        tokens: The token that each has got (B, W), int64.
    """

    totals: Tensor
    parents: Tensor
    tokens: Tensor

    def narrow(self, followed: Tensor, width: int) -> tuple[Slots, Tensor]:
        """Leave slots out.

        Args:
            followed: The slots that stay (B, W), bool; at most `width` of an item.
            width: How many stay of each item: where fewer are followed, also others, the first.

        Returns:
            The slots (B, width), and the number of each before (B, width), rising.
        """
        kept = followed.byte().argsort(dim=1, descending=True, stable=True)[:, :width]
        kept = kept.sort(dim=1).values
        return Slots(*(part.gather(1, kept) for part in self)), kept


def largest(scores: Tensor, k: int, closed: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the `k` largest scores of each row, and of equals those that come first.

    `torch.topk` leaves open which of equal scores it gives, and a result would then depend on
    the batch. Of many scores only the blocks that have the `k` largest maxima are looked into: one
    pass over them, faster than `torch.topk`.

    Args:
        scores: (N, V).
        k: From 1 to V.
        closed: Columns that count as `-inf` (K,), int64; None: there are none. To pass over them
            here is cheaper than to overwrite them in a copy of all scores.

    Returns:
        The scores in falling order and their columns, both (N, k). A column that goes with
        `-inf` means nothing.
    """
    columns = scores.shape[1]
    if columns <= 2 * k * _BLOCK or scores.numel() <= _SMALL:
        return _first_largest(
            scores if closed is None else scores.index_fill(1, closed, -torch.inf), k
        )
    places, barred = _blocks(columns, closed, scores.device)
    whole = columns - columns % _BLOCK
    maxima = scores[:, :whole].unflatten(1, (-1, _BLOCK)).amax(dim=2)  # (N, columns / block)
    if whole < columns:
        maxima = torch.cat([maxima, scores[:, whole:].amax(dim=1, keepdim=True)], dim=1)
    if closed is not None:
        touched = closed // _BLOCK
        inside = scores.index_select(1, places[touched].flatten())
        inside = inside.unflatten(1, (-1, _BLOCK)).masked_fill(barred[touched], -torch.inf)
        maxima[:, touched] = inside.amax(dim=2)
    highest, blocks = _first_largest(maxima, k)
    # In the order of the columns, so that the first of equals stays the first.
    blocks, order = blocks.sort(dim=1)
    empty = highest.gather(1, order) == -torch.inf  # it may stand there twice
    firsts = places[:, 0][blocks]  # (N, k)
    rows = torch.arange(len(scores), device=scores.device)[:, None] * columns
    windows = scores.reshape(-1).unfold(0, _BLOCK, 1)
    values = windows[(rows + firsts).flatten()].view(*blocks.shape, _BLOCK)
    values.masked_fill_(barred[blocks] | empty[:, :, None], -torch.inf)
    values, found = _first_largest(values.flatten(1), k)
    return values, firsts.gather(1, found // _BLOCK) + found % _BLOCK


def fill_slots(
    totals: Tensor,
    log_probs: Tensor,
    width: int,
    closed: Tensor | None = None,
    places: Tensor | None = None,
) -> Slots:
    """Fill the slots of each beam in order: slot i takes the best that slots 0 to i still offer.

    So the first slots of a beam are the beam of a smaller width, whatever the later ones hold, and
    slot 0 is greedy (Lemons et al. 2022, "Beam Search: Faster and Monotonic", section 3). Of equal
    continuations the one of the lower slot comes first, then the likelier and the lower token.

    Args:
        totals: Log-probability of each slot's tokens so far (B, w); `-inf`: the slot is dead.
        log_probs: Log-probabilities of their next tokens (B * w, V), rows of an item together.
        width: Slots after the step, W.
        closed: Tokens that no slot takes (K,), int64; None: any may be taken.
        places: The numbers of the slots before the step (B, w), int64, rising; None: they are 0, 1,
            2, ….

    Returns:
        The slots (B, W). A dead one has tokens and a parent that mean nothing.
    """
    items, before = totals.shape
    children = min(width, log_probs.shape[1])  # slot i needs no more than i + 1 of each
    values, numbers = largest(log_probs, children, closed)
    offers = totals[:, :, None] + values.view(items, before, children)
    if places is not None:
        whole = offers.new_full((items, width, children), -torch.inf)
        offers = whole.scatter_(1, places[:, :, None].expand_as(offers), offers)
    elif before != width:  # later slots offer nothing to these
        offers = F.pad(offers, (0, 0, 0, width - before), value=-torch.inf)
    best, found = _served(offers)
    parents = found // children
    if places is None:
        parents = parents.clamp(max=before - 1)  # of dead slots it means nothing
    else:
        rows = torch.arange(before, device=places.device).expand_as(places)
        parents = torch.zeros_like(parents).scatter_(1, places, rows).gather(1, parents)
    of_parents = numbers.reshape(items, -1)
    return Slots(
        totals=best,
        parents=parents,
        tokens=of_parents.gather(1, parents * children + found % children),
    )


def _served(offers: Tensor) -> tuple[Tensor, Tensor]:
    """Return what each slot takes if they choose in order, each from slots up to itself.

    All slots are found at once. Slots take offers as a server does jobs that come in at the time of
    their own slot: the best offer of all is taken as soon as it is there, the next best then or,
    where that slot is taken, behind it, and so on. So which slots the `m` best offers fill follows
    from how many of them came in up to each slot, and a slot takes the offer that is the first to
    fill it.

    Args:
        offers: `(B, W, C)`, of each slot in falling order.

    Returns:
        The offers and their places in `(W * C)`, both `(B, W)`.
    """
    _, width, children = offers.shape
    useful, coming, slots = _arrivals(width, children, offers.device)
    flat = offers.flatten(1).index_select(1, useful)
    values, order = flat.sort(dim=1, descending=True, stable=True)  # (B, M)
    # How many of the m best came in up to each slot, less the slots before it: where the smallest
    # such number falls, the m best leave a slot empty.
    left = coming[order].cumsum(1, dtype=torch.int32).sub_(slots).cummin(2).values
    fallen = left.sum(1)  # (B, 1 + W), over all m
    first = fallen[:, :-1] - fallen[:, 1:]  # so many of the best leave this slot empty
    return values.gather(1, first), useful[order.gather(1, first)]


@lru_cache(maxsize=64)
def _arrivals(width: int, children: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return what `_served` needs and only the sizes of a beam decide.

    Slot `i` and those behind it can take `W - i` of its offers at most, the best ones.

    Args:
        width: `W`.
        children: `C`.
        device: Where the offers are.

    Returns:
        The places (M,) of offers that may be taken, of `(W * C)`; for each whether it is there at
        each slot (M, 1 + W), int32, the first column a slot before all; and the slots (1 + W,).
    """
    places = torch.arange(width * children, device=device)
    useful = places[places % children < width - places // children]
    slots = torch.arange(-1, width, dtype=torch.int32, device=device)
    return useful, (useful[:, None] // children <= slots).int(), slots


def _blocks(columns: int, closed: Tensor | None, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the columns of each block and which of them count not, both (M, block).

    Those are closed (K,); or the block before has them, which the last one overlaps.
    """
    starts = torch.arange(0, columns, _BLOCK, device=device).clamp_(max=columns - _BLOCK)
    places = starts[:, None] + torch.arange(_BLOCK, device=device)
    barred = torch.zeros(columns, dtype=torch.bool, device=device)
    if closed is not None:
        barred[closed] = True
    barred = barred[places]
    barred[-1] |= places[-1] < _BLOCK * (len(starts) - 1)
    return places, barred


def _first_largest(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Do what `largest` does, over whole rows (N, C). Where only `-inf` is left, any column stands.

    Equal scores are rare, and without them `torch.topk` says the same as a sort. To look for them
    is a wait for the device, so only a processor does.
    """
    if k * scores.shape[1] <= _SHORT:
        return _one_by_one(scores, k)
    if scores.device.type == "cpu":
        values, places = scores.topk(min(k + 1, scores.shape[1]), dim=1)
        equal = values[:, 1:] == values[:, :-1]
        if not (equal & (values[:, 1:] > -torch.inf)).any():
            return values[:, :k], places[:, :k]
    values, places = scores.sort(dim=1, descending=True, stable=True)
    return values[:, :k], places[:, :k]


def _one_by_one(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Do what `_first_largest` does by taking the largest again and again, of all rows at once."""
    left, found = scores.clone(), []
    for _ in range(k):
        best = left.max(dim=1, keepdim=True)  # of equals the first
        found.append(best)
        left.scatter_(1, best.indices, -torch.inf)
    return (
        torch.cat([best.values for best in found], dim=1),
        torch.cat([best.indices for best in found], dim=1),
    )
