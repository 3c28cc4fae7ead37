"""The offline default: drawn scenes with captions of a grammar."""

from __future__ import annotations

from collections.abc import Sequence

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos import CaptionData, CaptionOptions, Part
from seqforge_tasks.captioning.scenes.drawn_photos import DrawnPhotos
from seqforge_tasks.captioning.scenes.pairs import held_out_pairs, validation_pairs
from seqforge_tasks.captioning.scenes.scene_part import ScenePart

SMALLEST = 32
"""Pixels of a side below which shapes cannot be told apart."""


MIXED = 16
"""Lengths of captions that may meet in a batch differ by less: all of them do."""


class Scenes(CaptionData):
    """Pictures of coloured shapes with their captions: nothing is downloaded.

    A scene shows one to three like objects, or two different ones in one of 4 relations: 6 shapes,
    6 colours, 2 sizes. Its references are all true captions of the grammar: one for like objects,
    two for different ones. Four of the 36 pairs of a colour and a shape are never shown in training
    or validation; every test scene shows at least one of them, so that the test measures how well
    what was learnt is put together anew. Two more pairs are shown in validation and not in
    training, in about half of its scenes, so that checkpoints are chosen by that too.

    Args:
        photos: Training scenes.
        validation_photos: Scenes that are captioned after each epoch; what they show is never
            shown in training, in whatever places.
        test_photos: Scenes of the test.
        captions: Captions of a training scene, drawn from the true ones.
        batch_size: Captions of a batch in training, scenes of one in evaluation.
        image_size: Pixels of a side of the pictures.
        seed: What scenes and the order of batches are drawn from; None: the run's seed.
        num_workers: Processes that load data, for each training process.
        cache: Folder of the vocabulary; None: `cache` beside the run folders.

    Raises:
        UserError: An argument is out of range.
    """

    def __init__(
        self,
        photos: int = 14_400,
        validation_photos: int = 500,
        test_photos: int = 1_000,
        captions: int = 1,
        batch_size: int = 64,
        image_size: int = 64,
        seed: int | None = None,
        num_workers: int = 0,
        cache: str | None = None,
    ) -> None:
        # Scenes of one group and of two in the same batch: there is little to gain by keeping
        # captions of 4 and of 10 words apart, and much to lose.
        options = CaptionOptions(batch_size=batch_size, image_size=image_size, width=MIXED)
        super().__init__(options, seed=seed, num_workers=num_workers, cache=cache)
        self.counts: dict[Part, int] = {
            "train": photos,
            "validation": validation_photos,
            "test": test_photos,
        }
        self.captions = captions
        for name, count in self.counts.items():
            where = f"data.{'' if name == 'train' else f'{name}_'}photos"
            _require(count >= 1, f"{count} photos", where, "give at least 1")
        _require(captions >= 1, f"{captions} captions", "data.captions", "give at least 1")
        _require(
            image_size >= SMALLEST,
            f"scenes cannot be drawn on {image_size} pixels",
            "data.image_size",
            f"give at least {SMALLEST}",
        )

    def photos(self, part: Part) -> DrawnPhotos:
        """Return the scenes of a part."""
        captions = self.captions if part == "train" else None
        return DrawnPhotos(ScenePart(part, self.seed), self.counts[part], self.transform, captions)

    def notes(self) -> Sequence[str]:
        """Return lines on the scenes and the vocabulary, and the pairs that are held out."""
        pairs = ", ".join(" ".join(pair) for pair in held_out_pairs(self.seed))
        new = ", ".join(" ".join(pair) for pair in validation_pairs(self.seed))
        lines = [f"only in the test: {pairs}", f"not in training: {new}"]
        return [*super().notes(), *lines]


def _require(right: bool, given: str, where: str, todo: str) -> None:
    if not right:
        raise UserError(given, where=where, todo=todo)
