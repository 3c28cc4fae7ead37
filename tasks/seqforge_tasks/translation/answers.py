"""What `infer` writes for each input line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seqforge.errors import UserError
from seqforge.task import Output, Text
from seqforge_tasks.translation.pictures import attention_figure
from seqforge_tasks.translation.search_options import TranslationOptions
from seqforge_tasks.translation.translator import Candidate, Translator

# What would end a line or a column in the middle of a text; a network of bytes can write it.
_BREAKS = str.maketrans("\t\n\r", "   ")


def answer(
    translator: Translator, texts: Iterator[str], options: TranslationOptions
) -> Iterator[Output]:
    """Yield the output of each input line in order; an empty line for an empty one.

    Args:
        translator: What translates.
        texts: The input lines.
        options: What is written of each, and how.

    Raises:
        UserError: A line is too long and to be refused, or a picture cannot be written.
    """
    folder = _made(options.attention) if options.attention else None
    for number, candidates in enumerate(translator.stream(texts, options), start=1):
        shown: Sequence[Candidate | None] = candidates or [None]
        for candidate in shown:
            yield Text(_line(number, candidate, options))
        if folder is not None and candidates:
            _draw(candidates, folder / f"{number:04d}.png")


def _line(number: int, candidate: Candidate | None, options: TranslationOptions) -> str:
    cells = [str(number)] if options.n_best > 1 else []
    if candidate is None:
        return "\t".join([*cells, *[""] * (3 if options.scores else 1)])
    if options.scores:
        cells += [f"{candidate.score:.4f}", f"{candidate.log_prob:.4f}"]
    return "\t".join([*cells, candidate.text.translate(_BREAKS)])


def _draw(candidates: Sequence[Candidate], path: Path) -> None:
    best = candidates[0]
    figure = attention_figure(best.source, best.target, best.attention)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise UserError(
            f"cannot write '{path}': {error.strerror}",
            where="--attention",
            todo="give a folder that can be written in",
        ) from error


def _made(name: str) -> Path:
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make the folder '{name}': {error.strerror}",
            where="--attention",
            todo="give a folder that exists, or can be made",
        ) from error
    return folder
