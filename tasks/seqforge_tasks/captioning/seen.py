"""What a captioning network has seen of pictures or clips, before it writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


class Seen(NamedTuple):
    """Features of pictures or clips.

    Attributes:
        features: `(N, P, C)`, of the P regions of each picture; or of the frames of each clip,
            zero behind its last one.
        frames: `(N,)` int64, the frames of each clip; None: they are pictures.
    """

    features: Tensor
    frames: Tensor | None = None

    def rows(self, places: Tensor | Sequence[int]) -> Seen:
        """Return those of some pictures or clips, in the order of their places `(B,)`."""
        return Seen(self.features[places], None if self.frames is None else self.frames[places])


def stacked(pictures: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
    """Put pictures or clips into one tensor.

    Args:
        pictures: `(3, S, S)` each; or clips, `(F, 3, S, S)` each, of different numbers of frames.

    Returns:
        `(N, 3, S, S)` and None; or `(N, F, 3, S, S)`, zero behind the last frame of shorter ones,
        and the frames of each `(N,)`.
    """
    if pictures[0].dim() == 3:
        return torch.stack(list(pictures)), None
    frames = torch.tensor([len(each) for each in pictures])
    return pad_sequence(list(pictures), batch_first=True), frames
