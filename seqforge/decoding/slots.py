"""The slots of a beam: which continuations they take."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# A multiple of the widest vector unit, near the square root of usual vocabularies.
_BLOCK = 64
# Up to so many, taking the largest one again and again is faster than sorting.
_FEW = 8
# So many numbers are gone through faster than blocks are looked up.
_SMALL = 1 << 15


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
    the batch. Only the blocks that have the `k` largest maxima are looked into: one pass over the
    scores, faster than `torch.topk` where a row is long.

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
    if columns <= 2 * k * _BLOCK or k * scores.numel() <= _SMALL:
        left = scores.clone() if closed is None else scores.index_fill(1, closed, -torch.inf)
        return _first_largest_(left, k)
    barred = torch.zeros(columns, dtype=torch.bool, device=scores.device)
    if closed is not None:
        barred[closed] = True
    whole = columns - columns % _BLOCK
    maxima = scores[:, :whole].unflatten(1, (-1, _BLOCK)).amax(dim=2)  # (N, V / block)
    if whole < columns:
        maxima = torch.cat([maxima, scores[:, whole:].amax(dim=1, keepdim=True)], dim=1)
    if closed is not None:
        touched = closed // _BLOCK
        within, nothing = _columns(touched[None], barred)  # the same of every row
        inside = scores.index_select(1, within[0]).masked_fill_(nothing, -torch.inf)
        maxima[:, touched] = inside.unflatten(1, (-1, _BLOCK)).amax(dim=2)
    highest, blocks = _first_largest_(maxima, k)
    # In the order of the columns, so that the first of equals stays the first.
    blocks, order = blocks.sort(dim=1)
    empty = highest.gather(1, order) == -torch.inf  # it may stand there twice
    seen, nothing = _columns(blocks, barred)  # (N, k * block)
    values = scores.gather(1, seen).masked_fill_(nothing, -torch.inf)
    values.masked_fill_(empty.repeat_interleave(_BLOCK, dim=1), -torch.inf)
    values, places = _first_largest_(values, k)
    return values, seen.gather(1, places)


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
    offers, taken = offers.flatten(1), []
    # A slot must know what those before it took; all items go through it together.
    for slot in range(width):
        best = offers[:, : (slot + 1) * children].max(dim=1, keepdim=True)
        taken.append(best)
        offers.scatter_(1, best.indices, -torch.inf)
    found = torch.cat([best.indices for best in taken], dim=1)  # (B, W)
    parents = found // children
    if places is not None:
        rows = torch.arange(before, device=places.device).expand_as(places)
        parents = torch.zeros_like(parents).scatter_(1, places, rows).gather(1, parents)
    of_parents = numbers.reshape(items, -1)
    return Slots(
        totals=torch.cat([best.values for best in taken], dim=1),
        parents=parents,
        tokens=of_parents.gather(1, parents * children + found % children),
    )


def _columns(blocks: Tensor, barred: Tensor) -> tuple[Tensor, Tensor]:
    """Return the columns of blocks (N, K), both (N, K * block), and which of them count not.

    Those are barred (V,), or lie behind the last column; then the last one stands for them.
    """
    last = len(barred) - 1
    columns = blocks[:, :, None] * _BLOCK + torch.arange(_BLOCK, device=blocks.device)
    columns = columns.flatten(1)
    within = columns.clamp(max=last)
    return within, (columns > last) | barred[within]


def _first_largest_(left: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Do what `largest` does, over whole rows of its own (N, C), which it may overwrite.

    Where only `-inf` is left, any column stands.
    """
    if k > _FEW:
        values, places = left.sort(dim=1, descending=True, stable=True)
        return values[:, :k], places[:, :k]
    found = []
    for _ in range(k):
        best = left.max(dim=1, keepdim=True)  # of equals the first
        found.append(best)
        left.scatter_(1, best.indices, -torch.inf)
    return (
        torch.cat([best.values for best in found], dim=1),
        torch.cat([best.indices for best in found], dim=1),
    )
