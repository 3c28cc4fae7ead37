"""What is shown of a network while it learns to caption."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqforge.task import Figure, Preview, Table, Text
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.captioner import Captioner
from seqforge_tasks.captioning.pictures import SheetEntry, contact_sheet, film_strip
from seqforge_tasks.captioning.search_options import CaptioningOptions
from seqforge_tasks.captioning.seen import Seen

SHOWN = 12
"""Photos that each preview shows."""


def previews(
    captioner: Captioner,
    batch: CaptionBatch,
    options: CaptioningOptions,
    remarks: Sequence[str],
) -> list[Preview]:
    """Return twelve captioned photos as a contact sheet, and the scores.

    Of a batch without pictures, as one of training with a frozen image encoder, there is a table.

    Args:
        captioner: The network.
        batch: Of the validation part, or of training where there is none; the photos are spread
            over it.
        options: How captions are searched for.
        remarks: Lines on the last scores; none are shown where there are none.
    """
    rows = _spread(batch.places.tolist())
    places = batch.places[rows]
    seen = _seen(captioner, batch, places)
    captions = [each[0].text if each else "" for each in captioner.search(seen, options)]
    known = captioner.references(batch)
    references = [known[row][0] if known[row] else "" for row in rows]
    shown: list[Preview] = []
    if batch.pictures is not None:
        photos = _photos(batch, places).cpu()
        entries = map(SheetEntry, photos, captions, references)
        shown.append(Figure(contact_sheet(list(entries)), title="captions"))
    else:
        names = [batch.names[row] for row in rows]
        table = [list(each) for each in zip(names, references, captions, strict=True)]
        shown.append(Table(("file", "reference", "caption"), table, title="captions"))
    if remarks:
        shown.append(Text("\n".join(remarks), title="scores"))
    return shown


def _spread(places: Sequence[int]) -> list[int]:
    """Return the first rows of up to twelve photos that are spread over the batch."""
    first = {place: row for row, place in reversed(list(enumerate(places)))}
    rows = sorted(first.values())
    count = min(SHOWN, len(rows))
    return [rows[(2 * number + 1) * len(rows) // (2 * count)] for number in range(count)]


def _seen(captioner: Captioner, batch: CaptionBatch, places: Tensor) -> Seen:
    if batch.features is not None:
        return Seen(batch.features, batch.frames).rows(places)
    assert batch.pictures is not None
    frames = None if batch.frames is None else batch.frames[places]
    return captioner.network.see(batch.pictures[places], frames)


def _photos(batch: CaptionBatch, places: Tensor) -> Tensor:
    """Return pictures `(N, 3, S, S)`; of clips four frames each."""
    assert batch.pictures is not None
    pictures = batch.pictures[places]
    if batch.frames is None:
        return pictures
    frames = batch.frames[places].tolist()
    clips = zip(pictures, frames, strict=True)
    return torch.stack([film_strip(clip[:count]) for clip, count in clips])
