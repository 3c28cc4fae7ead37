"""What is told of captioned pictures: to `infer`, to Python, and in predictions."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from PIL.Image import Image
from torch import Tensor

from seqforge.errors import UserError
from seqforge.task import Output, Source, Text
from seqforge_tasks.captioning.attention_pictures import AttentionPictures
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.captioner import Candidate, Captioner
from seqforge_tasks.captioning.input_clips import Input
from seqforge_tasks.captioning.input_pictures import read_ahead
from seqforge_tasks.captioning.search_options import CaptioningOptions, require_valid

# What would end a line or a column in the middle of a name or a caption.
_BREAKS = str.maketrans("\t\n\r", "   ")


class _Read(NamedTuple):
    """A picture on its way: for the network, and as it is drawn if it is."""

    name: str
    picture: Tensor
    drawn: Tensor | None


def answer(
    captioner: Captioner, sources: Iterable[Source], options: CaptioningOptions
) -> Iterator[Output]:
    """Yield the output of each picture in order.

    Args:
        captioner: What captions.
        sources: Files, folders, patterns, archives, standard input.
        options: What is written of each picture, and how.

    Raises:
        UserError: A source holds no picture, after the answers to those before it; or a picture of
            attention is asked for that cannot be drawn or written.
    """
    medium = captioner.medium
    pictures: Iterable[Input] = medium.find(sources)
    drawings = None
    if options.attention:
        first = list(islice(pictures, 2))
        pictures = chain(first, pictures)
        drawings = AttentionPictures(options.attention, captioner, several=len(first) > 1)

    def read(each: Input) -> _Read:
        frames = each.read()
        drawn = None if drawings is None else medium.drawn(frames)
        return _Read(each.name, medium.tensor(frames), drawn)

    waiting: deque[_Read] = deque()

    def coming() -> Iterator[Tensor]:
        for each in read_ahead(pictures, read, medium.ahead):
            waiting.append(each)
            yield each.picture

    for candidates in captioner.stream(coming(), options):
        name, _, drawn = waiting.popleft()
        if drawings is not None and drawn is not None:
            drawings.draw(drawn, candidates)
        lines = _objects if options.format == "jsonl" else _lines
        yield from map(Text, lines(name, candidates, options))


def best_captions(
    captioner: Captioner, pictures: Sequence[Source | Image], options: CaptioningOptions
) -> list[str]:
    """Return the best caption of each picture; "" where none was found.

    Raises:
        UserError: An option is out of range, a source holds no picture, or a single one was given
            instead of a list.
    """
    require_valid(options)
    one, several = captioner.medium.nouns
    if isinstance(pictures, str) or not isinstance(pictures, Iterable):
        raise UserError(
            f"one {one}, not a list of {several}: {str(pictures)[:80]!r}",
            where="caption",
            todo="put it into a list",
        )
    medium = captioner.medium
    found = medium.find(pictures)
    tensors = read_ahead(found, lambda each: medium.tensor(each.read()), medium.ahead)
    return [each[0].text if each else "" for each in captioner.stream(tensors, options)]


def predictions(
    captioner: Captioner, batch: CaptionBatch, found: Sequence[Sequence[Candidate]]
) -> list[dict[str, object]]:
    """Return a row for each picture of a batch: its file, its caption, score and references."""
    rows = zip(batch.names, captioner.references(batch), found, strict=True)
    return [
        {
            "file": name,
            "caption": candidates[0].text if candidates else "",
            "score": candidates[0].score if candidates else None,
            "references": list(references),
        }
        for name, references, candidates in rows
    ]


def _lines(name: str, candidates: Sequence[Candidate], options: CaptioningOptions) -> Iterator[str]:
    shown: Sequence[Candidate | None] = candidates or [None]
    for each in shown:
        cells = [name]
        if options.scores:
            cells += ["", ""] if each is None else [f"{each.score:.4f}", f"{each.log_prob:.4f}"]
        cells.append("" if each is None else each.text)
        yield "\t".join(cell.translate(_BREAKS) for cell in cells)


def _objects(
    name: str, candidates: Sequence[Candidate], options: CaptioningOptions
) -> Iterator[str]:
    rows = [_fields(each) for each in candidates]
    best = rows[0] if rows else {"caption": "", "score": None, "log_prob": None, "finished": False}
    whole = {"file": name} | best | ({"captions": rows} if options.n_best > 1 else {})
    yield json.dumps(whole, ensure_ascii=False)


def _fields(candidate: Candidate) -> dict[str, object]:
    return {
        "caption": candidate.text,
        "score": candidate.score,
        "log_prob": candidate.log_prob,
        "finished": candidate.finished and not candidate.cut,
    }
