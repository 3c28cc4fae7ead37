"""What a user can set when text is written or scored, and which values are refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from seqforge.engines import Engine, require_engine
from seqforge.errors import UserError, closest_match
from seqforge.text import Vocabulary

LARGEST_SEED = 2**63 - 1
LONGEST = 10**9

Unknown = Literal["replace", "refuse"]


@dataclass
class GenerationOptions:
    """How text is written, or scored.

    Attributes:
        length: Characters to write after the prompt at most; bytes for a network of bytes.
        temperature: Below 1 plays safe, above 1 takes risks, 0 always takes the likeliest.
        top_k: Draw from this many likeliest characters only; 0 from all.
        top_p: Draw from the fewest likeliest characters that have this share of the probability;
            1 from all.
        seed: What chance is drawn from; the same seed writes the same text. Sample k of a prompt
            has the seed SEED + k.
        samples: Texts to write for each prompt, all at once.
        stop: A text ends before this string; none if empty.
        echo: Begin each text with its prompt.
        stream: Show characters as they are made; of several samples, those of the first.
        separator: The line between two texts.
        unknown: What to do with characters that the network does not know: replace reads each as
            unknown, refuse stops.
        score: Score the inputs instead of writing on: a table (CSV) with one line for each.
        prompt: With score: what stands before each text and is not scored itself.
        engine: What takes the network's steps: torch, onnx (ONNX Runtime), or int8 (the same with
            weights of 8 bits). The last two take some seconds to start.
        midi: File to which the first text, a tune in ABC notation, is written as MIDI too; further
            ones go to files beside it, numbered from 2 on.
    """

    length: int = 200
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    samples: int = 1
    stop: str = ""
    echo: bool = True
    stream: bool = False
    separator: str = "---"
    unknown: Unknown = "replace"
    score: bool = False
    prompt: str = ""
    engine: Engine = "torch"
    midi: str = ""


def require_valid(options: GenerationOptions, vocabulary: Vocabulary) -> None:
    """Refuse options that are out of range, or that this vocabulary cannot meet.

    Raises:
        UserError: Names the first such option.
    """
    for name, right, todo in _ranges(options):
        if not right:
            given = f"{name} is {getattr(options, name)}"
            raise UserError(given, where=f"--{name.replace('_', '-')}", todo=todo)
    require_choice(options.unknown)
    require_engine(options.engine)
    if unknown := next((sign for sign in options.stop if not vocabulary.knows(sign)), ""):
        raise UserError(
            f"the stop string {options.stop!r} can never be written: the network does not know "
            f"{unknown!r}",
            where="--stop",
            todo=r"use known characters; a shell writes a new line as $'\n'",
        )
    if options.midi and options.score:
        raise UserError(
            "a MIDI file is asked for, but nothing is written with --score",
            where="--midi",
            todo="leave one of them out",
        )
    if options.prompt and not options.score:
        raise UserError(
            "a prompt for scores is given, but no --score",
            where="--prompt",
            todo="add --score; the prompt of a text to write is typed without a name",
        )


def require_choice(unknown: str) -> None:
    """Refuse a way with unknown characters that does not exist.

    Raises:
        UserError: There is no such way.
    """
    choices = get_args(Unknown)
    if unknown not in choices:
        raise UserError(
            f"unknown is '{unknown}'",
            where="--unknown",
            accepted=choices,
            closest=closest_match(unknown, choices),
        )


def _ranges(options: GenerationOptions) -> Iterator[tuple[str, bool, str]]:
    """Yield each option with a range, whether it is in it, and what to do otherwise."""
    yield "length", 0 <= options.length <= LONGEST, f"give a number from 0 to {LONGEST:,}"
    yield (
        "temperature",
        0 <= options.temperature < math.inf,
        "give a number from 0 (always the likeliest character) up; 1 is the network's own",
    )
    yield "top_k", options.top_k >= 0, "give a number of characters; 0 draws from all"
    yield "top_p", 0 <= options.top_p <= 1, "give a share from 0 to 1; 1 draws from all"
    yield "samples", options.samples >= 1, "give at least 1"
    yield (
        "seed",
        0 <= options.seed <= LARGEST_SEED - options.samples,
        "give a whole number from 0 up, of at most 18 digits",
    )
