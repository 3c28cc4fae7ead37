"""Writing on from a prompt, several samples at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from seqforge.decoding import Step, sample
from seqforge.state import repeat
from seqforge.task import Output, Piece, Text
from seqforge.text import Decoder
from seqforge_tasks.char_generation.language_model import LanguageModel
from seqforge_tasks.char_generation.midi import require_tunes, write_tunes
from seqforge_tasks.char_generation.options import GenerationOptions
from seqforge_tasks.char_generation.stop import StopFilter


class Sample:
    """One text while it is written: numbers in, the text that is certain out.

    Args:
        decoder: Turns numbers into text.
        stop: The text ends before this string.
    """

    def __init__(self, decoder: Decoder, stop: str) -> None:
        self._decoder = decoder
        self._filter = StopFilter(stop)

    @property
    def stopped(self) -> bool:
        """Whether the stop string has come: nothing more is given out."""
        return self._filter.found

    def feed(self, number: int) -> str:
        """Return what the text gains by a number; empty inside a character or a stop string."""
        return "" if self.stopped else self._filter.feed(self._decoder.feed(number))

    def close(self) -> str:
        """Return what is left over at the end."""
        return "" if self.stopped else self._filter.feed(self._decoder.close()) + self._rest()

    def _rest(self) -> str:
        return "" if self.stopped else self._filter.close()


def write(
    model: LanguageModel, step: Step, prompt: str, options: GenerationOptions
) -> Iterator[list[str]]:
    """Write on from a prompt; all samples are rows of one batch.

    Args:
        model: Who writes.
        step: The model's steps, from `model.stepper`.
        prompt: What stands before; characters that are not known are read as unknown.
        options: Valid ones.

    Yields:
        What each sample's text has gained, step after step; prompts are not among it.
    """
    token, state = model.begin(prompt)
    samples = [Sample(model.vocabulary.decoder(), options.stop) for _ in range(options.samples)]
    steps = sample(
        step,
        token.repeat(options.samples),
        repeat(state, options.samples),
        length=options.length,
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        seeds=range(options.seed, options.seed + options.samples),
    )
    for sampled in steps:
        numbers = sampled.tokens.tolist()
        yield [each.feed(number) for each, number in zip(samples, numbers, strict=True)]
        if all(each.stopped for each in samples):
            return
    yield [each.close() for each in samples]


def complete(
    model: LanguageModel, prompts: Iterable[str], options: GenerationOptions
) -> Iterator[Output]:
    """Answer prompts: each finished text as a line, or the first of each in pieces.

    Args:
        model: Who writes.
        prompts: What the texts begin with.
        options: Valid ones. A line with `separator` stands between two texts.

    Raises:
        UserError: MIDI files are wanted and no text is a tune, or one cannot be written. The texts
            of a prompt are given out before. Or as `LanguageModel.stepper`.
    """
    step = model.stepper(options.engine)
    separators: list[Text] = []  # none before the first text of all
    tunes: list[bool] = []
    for number, prompt in enumerate(prompts):
        echoed = prompt if options.echo else ""
        texts = [[echoed] for _ in range(options.samples)]
        if options.stream:
            yield from separators
            yield Piece(echoed)
        for pieces in write(model, step, prompt, options):
            for text, piece in zip(texts, pieces, strict=True):
                text.append(piece)
            if options.stream and pieces[0]:
                yield Piece(pieces[0])
        if options.stream:
            yield Piece("", last=True)
            separators = [Text(options.separator)]
        for text in texts[1:] if options.stream else texts:
            yield from separators
            yield Text("".join(text))
            separators = [Text(options.separator)]
        if options.midi:
            # The prompt is the tune's beginning, shown or not.
            whole = ["".join([prompt, *text[1:]]) for text in texts]
            tunes += write_tunes(whole, Path(options.midi), number * options.samples)
    require_tunes(tunes)
