"""The files into which pictures of attention are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backend_bases import FigureCanvasBase
from torch import Tensor

from seqforge.errors import UserError
from seqforge_tasks.captioning.captioner import Candidate, Captioner
from seqforge_tasks.captioning.pictures import attention_figure, moments_figure

DPI = 120


class AttentionPictures:
    """Draws where each word looks, or when, a file for each photo or clip.

    Args:
        name: The file; of several photos a number is put behind its name.
        captioner: What captions the photos.
        several: Whether there are several.

    Raises:
        UserError: The network has no attention, or the file's kind is none of a picture.
    """

    def __init__(self, name: str, captioner: Captioner, several: bool) -> None:
        if captioner.network.conditioning == "start":
            raise UserError(
                "this network has no attention: it looks at a photo once, before it writes",
                where="--attention",
                todo="leave it out, or train with conditioning: both",
            )
        path = Path(name)
        kinds = FigureCanvasBase.get_supported_filetypes()
        if path.suffix[1:].lower() not in kinds:
            raise UserError(
                f"'{name}' is not named as a picture",
                where="--attention",
                accepted=kinds,
                todo=f"give a name such as {path.stem or 'out'}.png",
            )
        self._path = path
        self._grid = captioner.network.image.grid
        self._several = several
        self._count = 0

    def draw(self, photo: Tensor, candidates: Sequence[Candidate]) -> None:
        """Draw the best caption of the next photo, `(3, S, S)` uint8, or clip, `(F, 3, S, S)`.

        Nothing is drawn if there is no caption.

        Raises:
            UserError: The file cannot be written.
        """
        self._count += 1
        if not candidates:
            return
        best = candidates[0]
        # The end has nowhere to look.
        words = best.words[: len(best.words) - best.finished]
        weights = best.attention[: len(words)]
        if photo.dim() == 4:
            figure = moments_figure(photo, words, weights[:, : len(photo)], best.text)
        else:
            figure = attention_figure(photo, words, weights, self._grid, best.text)
        path = self._path
        if self._several:
            path = path.with_name(f"{path.stem}-{self._count}{path.suffix}")
        try:
            figure.savefig(path, dpi=DPI)
        except OSError as error:
            raise UserError(
                f"cannot write '{path}': {error.strerror}",
                where="--attention",
                todo="give a file in a folder that exists and can be written",
            ) from error
