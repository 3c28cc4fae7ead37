"""What a captioning network reads and is measured against."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seqforge.data import Batch


@dataclass(kw_only=True)
class CaptionBatch(Batch):
    """Captions and the pictures, or clips, that they describe.

    In training a row is a caption, and several rows may share a picture, which is encoded once. In
    evaluation a row is a picture, with all its captions as references.

    Attributes:
        pictures: `(N, 3, S, S)` uint8, or clips, `(N, F, 3, S, S)`, zero behind the last frame of
            shorter ones; None where their features are given instead (in training).
        features: `(N, P, C)` of the frozen image encoder, of clips `(N, F, C)`; or None: the
            network computes them.
        frames: `(N,)` int64, the frames of each clip; None: they are pictures.
        places: `(B,)` int64, the picture of each row, 0 to N - 1.
        inputs: `(B, T)` int64, the begin mark and the caption, right-padded; `(B, 0)` in
            evaluation of pictures without captions.
        targets: `(B, T)` int64, the caption and the end mark, right-padded. In evaluation those of
            each picture's first caption.
        lengths: `(B,)` int64, of inputs and targets.
        names: Of each row's picture: its file.
        references: Of each row: its picture's captions as they were written, one or more.
    """

    pictures: Tensor | None
    features: Tensor | None
    places: Tensor
    inputs: Tensor
    targets: Tensor
    lengths: Tensor
    frames: Tensor | None = None
    names: tuple[str, ...] = ()
    references: tuple[tuple[str, ...], ...] = ()

    def size(self) -> tuple[int, str]:
        """Return the number of captions, for the rate that is shown in training."""
        return len(self.lengths), "captions"
