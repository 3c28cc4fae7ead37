"""The offline default of video: drawn clips with captions of a grammar."""

from __future__ import annotations

from collections.abc import Sequence

from seqforge.vision import FrameSampling
from seqforge_tasks.captioning.moving.moving_part import MovingPart
from seqforge_tasks.captioning.photos import CaptionData, CaptionOptions, Part
from seqforge_tasks.captioning.scenes.amounts import require_least
from seqforge_tasks.captioning.scenes.drawn_photos import DrawnPhotos
from seqforge_tasks.captioning.scenes.pairs import held_out_pairs

SMALLEST = 32
"""Pixels of a side below which shapes cannot be told apart."""

FEWEST = 3
"""Frames below which speed cannot be told."""

MIXED = 16
"""Lengths of captions that may meet in a batch differ by less: all of them do."""


class MovingShapes(CaptionData):
    """Clips of coloured shapes that move, with their captions: nothing is downloaded.

    A clip shows one object that moves left, right, up or down, slowly or quickly, or two alike that
    meet or part: 6 shapes, 6 colours. Four of the 36 pairs of a colour and a shape are never shown
    in training or validation; every test clip shows one of them.

    Args:
        clips: Training clips.
        validation_clips: Clips that are captioned after each epoch; what they show is never shown
            in training, in whatever places.
        test_clips: Clips of the test.
        frames: Frames of each clip.
        batch_size: Captions of a batch in training, clips of one in evaluation.
        image_size: Pixels of a side of the frames.
        seed: What clips and the order of batches are drawn from; None: the run's seed.
        num_workers: Processes that load data, for each training process.
        cache: Folder of the vocabulary; None: `cache` beside the run folders.

    Raises:
        UserError: An argument is out of range.
    """

    def __init__(
        self,
        clips: int = 6_000,
        validation_clips: int = 500,
        test_clips: int = 1_000,
        frames: int = 4,
        batch_size: int = 64,
        image_size: int = 64,
        seed: int | None = None,
        num_workers: int = 0,
        cache: str | None = None,
    ) -> None:
        options = CaptionOptions(batch_size=batch_size, image_size=image_size, width=MIXED)
        require_least(frames, FEWEST, "frames", "data.frames")
        super().__init__(
            options,
            seed=seed,
            num_workers=num_workers,
            cache=cache,
            sampling=FrameSampling(frames),
        )
        self.counts: dict[Part, int] = {
            "train": clips,
            "validation": validation_clips,
            "test": test_clips,
        }
        self.frames = frames
        for name, count in self.counts.items():
            require_least(count, 1, "clips", f"data.{'' if name == 'train' else f'{name}_'}clips")
        require_least(image_size, SMALLEST, "pixels a side", "data.image_size")

    def photos(self, part: Part) -> DrawnPhotos:
        """Return the clips of a part."""
        clips = MovingPart(part, self.seed, self.frames)
        return DrawnPhotos(clips, self.counts[part], self.transform)

    def notes(self) -> Sequence[str]:
        """Return lines on the clips and the vocabulary, and the pairs that are held out."""
        pairs = ", ".join(" ".join(pair) for pair in held_out_pairs(self.seed))
        return [*super().notes(), f"only in the test: {pairs}"]
