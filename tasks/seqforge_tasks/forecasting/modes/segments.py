"""Segment-wise recurrence with parallel decoding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqforge.encoders import EncoderFactory
from seqforge.errors import UserError
from seqforge.layers import Dropout
from seqforge.state import repeat
from seqforge_tasks.forecasting.heads.base import Head, Predictive
from seqforge_tasks.forecasting.modes.base import Mode
from seqforge_tasks.forecasting.window import Sizes, Window


class Segments(Mode):
    """Reads `w` steps at a time and decodes all segments of the horizon at once (SegRNN).

    Lin et al. 2023: a segment is embedded by a linear map and ReLU, a recurrent encoder reads the
    segments, and from its last state each segment of the horizon is decoded by a single step whose
    input says which segment it is, and of which series. Segments end at the cut-off: what does not
    fill one is left out at the oldest end.

    Args:
        encoders: Make the encoder.
        sizes: Of the data and the head.
        segment: `w`, steps of a segment.
        embedding_size: Width of an embedded segment.
        dropout: Probability that a feature is dropped before the head.

    Raises:
        UserError: A segment is longer than the context.
    """

    def __init__(
        self,
        encoders: EncoderFactory,
        sizes: Sizes,
        segment: int,
        embedding_size: int,
        dropout: float,
    ) -> None:
        super().__init__()
        if not 1 <= segment <= sizes.context:
            raise UserError(
                f"segments of {segment} steps in a context of {sizes.context}",
                where="model.task.segment",
                todo=f"give 1 to {sizes.context}; the season, or a part of it, is usual",
            )
        self.sizes = sizes
        self.segment = segment
        self.dropout = Dropout(dropout)
        self.parts = -(-sizes.horizon // segment)  # segments of the horizon
        # What describes the series asks for the horizon, and is not read again at every step.
        step = sizes.target + sizes.past + sizes.known
        self.embedding = nn.Linear(segment * step, embedding_size)
        self.encoder = encoders(embedding_size, causal=True)
        self.positions = nn.Parameter(torch.randn(self.parts, embedding_size))
        self.series = nn.Linear(sizes.static, embedding_size) if sizes.static else None
        self.ahead = nn.Linear(segment * sizes.known, embedding_size) if sizes.known else None
        self.output = nn.Linear(self.encoder.output_size, segment * sizes.channels * sizes.size)
        self.straight = (
            nn.Linear(sizes.known, sizes.channels * sizes.size, bias=False) if sizes.known else None
        )

    def taught(self, window: Window, target: Tensor, observed: Tensor) -> Tensor:
        """Return the head's numbers `(B, H, K, size)`."""
        return self._numbers(window)

    def forecast(self, window: Window, head: Head, horizon: int) -> Predictive:
        """Forecast the trained horizon."""
        predictive: Predictive = head(self._numbers(window), *window.frame)
        return predictive

    def _numbers(self, window: Window) -> Tensor:
        sizes = self.sizes
        inputs = torch.cat([window.values, window.past, window.known], dim=2)
        segments, counts = in_segments(inputs, window.lengths, self.segment)  # (B, N, w * I)
        _, state = self.encoder(F.relu(self.embedding(segments)), None, counts)
        outputs, _ = self.encoder.step(
            self._questions(window).flatten(0, 1), repeat(state, self.parts)
        )  # (B * M, O)
        outputs = self.dropout(outputs)
        raw: Tensor = self.output(outputs).view(len(inputs), -1, sizes.channels, sizes.size)
        raw = raw[:, : sizes.horizon]  # the last segment may reach further
        if self.straight is not None:
            raw = raw + self.straight(window.known_future).view_as(raw)
        return raw

    def _questions(self, window: Window) -> Tensor:
        """Return what asks for each segment of the horizon `(B, M, E)`."""
        asked = self.positions.expand(window.values.size(0), -1, -1)
        if self.series is not None:
            asked = asked + self.series(window.static).unsqueeze(1)
        if self.ahead is not None:
            missing = self.parts * self.segment - self.sizes.horizon
            known = F.pad(window.known_future, (0, 0, 0, missing))  # (B, M * w, C)
            asked = asked + self.ahead(known.view(len(known), self.parts, -1))
        return asked


def in_segments(
    inputs: Tensor, lengths: Tensor | None, segment: int
) -> tuple[Tensor, Tensor | None]:
    """Cut each row into segments that end where the row does.

    Args:
        inputs: `(B, L, I)`, padded on the right.
        lengths: `(B,)` int64, or None where every row is full.
        segment: `w`. A row that is shorter has zeros before it.

    Returns:
        `(B, N, w * I)`, and each row's number of segments `(B,)`, at least 1; None: `N`.
    """
    count = max(1, inputs.size(1) // segment)
    if lengths is None and inputs.size(1) < segment:
        inputs = F.pad(inputs, (0, 0, segment - inputs.size(1), 0))
    if lengths is None:
        recent = inputs[:, inputs.size(1) - count * segment :]
        return recent.reshape(len(inputs), count, -1), None
    counts = (lengths // segment).clamp(min=1)  # (B,)
    steps = torch.arange(count * segment, device=inputs.device)
    index = (lengths - counts * segment).unsqueeze(1) + steps  # (B, N * w)
    inside = (index >= 0) & (index < lengths.unsqueeze(1))
    rows = torch.arange(len(inputs), device=inputs.device).unsqueeze(1)
    moved = inputs[rows, index.clamp(0, inputs.size(1) - 1)] * inside.unsqueeze(2)
    return moved.view(len(inputs), count, -1), counts
