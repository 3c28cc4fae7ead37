"""The modes by name."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from seqforge.encoders import EncoderFactory
from seqforge.errors import UserError, closest_match
from seqforge_tasks.forecasting.modes.base import Mode
from seqforge_tasks.forecasting.modes.direct import Direct
from seqforge_tasks.forecasting.modes.recursive import Recursive
from seqforge_tasks.forecasting.modes.segments import Segments
from seqforge_tasks.forecasting.window import Sizes

ModeKind = Literal["direct", "recursive", "segments"]
KINDS: tuple[str, ...] = get_args(ModeKind)


class ModeOptions(NamedTuple):
    """What a user sets of a mode; each takes what concerns it.

    Attributes:
        dropout: Probability that a feature is dropped before the head.
        segment: Steps of a segment.
        embedding_size: Width of an embedded segment.
        every_step: Whether every step of the context is trained.
        paths: Sample paths of a recursive forecast.
    """

    dropout: float
    segment: int
    embedding_size: int
    every_step: bool
    paths: int


def make_mode(kind: ModeKind, encoders: EncoderFactory, sizes: Sizes, options: ModeOptions) -> Mode:
    """Make a mode by its name.

    Args:
        kind: "direct", "recursive" or "segments".
        encoders: Make the encoder.
        sizes: Of the data and the head.
        options: What the user set.

    Raises:
        UserError: There is no such mode, or it cannot do what is asked.
    """
    if kind == "direct":
        return Direct(encoders, sizes, options.dropout, options.every_step)
    if kind == "recursive":
        return Recursive(encoders, sizes, options.dropout, options.paths)
    if kind == "segments":
        return Segments(encoders, sizes, options.segment, options.embedding_size, options.dropout)
    raise UserError(
        f"mode '{kind}'",
        where="model.task.mode",
        accepted=KINDS,
        closest=closest_match(kind, KINDS),
    )
