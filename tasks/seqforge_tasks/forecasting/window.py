"""A batch as the network reads it: windows in their own scale, with all that describes them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from seqforge.task import Spec
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.normalisation import Frame, Normalisation, frame_of


class Sizes(NamedTuple):
    """What a network's shapes follow from.

    Attributes:
        channels: `K`, of the target.
        context: `L`, the usual steps of a context.
        horizon: `H`.
        lead: Steps from the end of the context to the first of the horizon.
        masked: Whether the network is told which values were observed.
        past: `P`, covariates known up to the cut-off.
        known: `C`, covariates known in advance.
        static: `S`, features that describe a series.
        size: Numbers for each target value that the head asks for.
    """

    channels: int
    context: int
    horizon: int
    lead: int
    masked: bool
    past: int
    known: int
    static: int
    size: int

    @property
    def target(self) -> int:
        """Numbers that tell one step of the target: its values, and perhaps which are observed."""
        return self.channels * (2 if self.masked else 1)


class Window(NamedTuple):
    """Windows in their own scale.

    Attributes:
        context: The values as they came `(B, L, K)`, 0 where nothing was observed.
        values: `(B, L, target)`, see `Sizes.target`.
        lengths: `(B,)` int64; None: every context is full.
        past: `(B, L, P)`.
        known: `(B, L, C)`.
        known_future: `(B, H, C)`.
        static: `(B, S)`.
        frame: Their scale.
    """

    context: Tensor
    values: Tensor
    lengths: Tensor | None
    past: Tensor
    known: Tensor
    known_future: Tensor
    static: Tensor
    frame: Frame


class Description(nn.Module):
    """What is known of a series for good, as features `(B, S)`: numbers, and learnt vectors.

    A category that training has not seen gets the mean of the vectors of those it has.

    Args:
        numbers: Numbers that describe each series.
        categories: How many values each category has, the unknown one not counted.
        identity: Width of a vector for each series itself; 0: it is not told apart.
    """

    def __init__(self, numbers: int, categories: list[int], identity: int) -> None:
        super().__init__()
        widths = [min(32, (count + 1) // 2) for count in categories]
        widths[0] = identity
        self.used = [place for place, width in enumerate(widths) if width and categories[place]]
        self.tables = nn.ModuleList(
            nn.Embedding(categories[place], widths[place]) for place in self.used
        )
        self.size = numbers + sum(widths[place] for place in self.used)

    def forward(self, static: Tensor, categories: Tensor) -> Tensor:
        """Return the features `(B, S)`.

        Args:
            static: `(B, numbers)`.
            categories: `(B, G)` int64; 0: unknown.
        """
        parts = [static]
        for place, table in zip(self.used, self.tables, strict=True):
            assert isinstance(table, nn.Embedding)
            known = table.weight  # (N, width)
            rows = torch.cat([known.mean(dim=0, keepdim=True), known])
            parts.append(rows[categories[:, place]])
        return torch.cat(parts, dim=1)


def sizes_of(spec: Spec, static: int, size: int) -> Sizes:
    """Return the sizes that follow from a data module's spec.

    Args:
        spec: The data module's.
        static: Features of the description.
        size: What the head asks for.
    """
    return Sizes(
        channels=len(spec["channels"]),
        context=spec["context"],
        horizon=spec["horizon"],
        lead=spec["lead"],
        masked=spec["missing"],
        past=len(spec["past"]),
        known=len(spec["known"]),
        static=static,
        size=size,
    )


def window_of(
    batch: ForecastBatch, kind: Normalisation, masked: bool, description: Description
) -> Window:
    """Return a batch in the scale of its windows.

    Args:
        batch: Windows.
        kind: How each is normalised.
        masked: Whether the network is told which values were observed.
        description: Turns what is known of the series into features.
    """
    frame = frame_of(kind, batch.context, batch.observed)
    values = frame.apply(batch.context) * batch.observed  # 0 where nothing was observed
    if masked:
        values = torch.cat([values, batch.observed.to(values.dtype)], dim=2)
    full = bool((batch.lengths == batch.context.size(1)).all())
    return Window(
        batch.context * batch.observed,
        values,
        None if full else batch.lengths,
        batch.past,
        batch.known,
        batch.known_future,
        description(batch.static, batch.categories),
        frame,
    )
