"""What a user can set when pictures are captioned, and which values are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from seqforge.decoding import OptionRange, require_ranges, search_ranges

LENGTHS = 1_000
"""The greatest length in tokens that can be asked for: a search is planned for it in advance."""

Format = Literal["text", "jsonl"]


@dataclass
class CaptioningOptions:
    """How pictures are captioned.

    Attributes:
        beam_size: Captions that are followed at once; 1 is nearly greedy.
        length_penalty: 0 prefers short captions; 1 weighs by length.
        min_length: Tokens that a caption has at least.
        max_length: Tokens that a caption has at most; 0: ten more than the longest of training.
        no_repeat_ngram: No run of this many tokens appears twice in a caption; 0: any may.
        n_best: Captions of each picture, the best first, a line each.
        scores: Write each caption's score and its log-probability in nats.
        format: text: the file, a tab, the caption; jsonl: an object a picture.
        attention: File of a picture that shows where each word looks; with several inputs their
            numbers are put behind its name.
        batch_size: Pictures that are captioned together; it changes speed and memory only.
    """

    beam_size: int = 3
    length_penalty: float = 1.0
    min_length: int = 0
    max_length: int = 0
    no_repeat_ngram: int = 0
    n_best: int = 1
    scores: bool = False
    format: Format = "text"
    attention: str = ""
    batch_size: int = 32


def require_valid(options: CaptioningOptions, prefix: str = "") -> None:
    """Refuse options that are out of range.

    Args:
        options: The options.
        prefix: What stands before the names of keys in a configuration; "": they were given to
            `infer`.

    Raises:
        UserError: Names the first such option.
    """
    require_ranges(options, _ranges(options), prefix)


def _ranges(options: CaptioningOptions) -> Iterator[OptionRange]:
    yield from search_ranges(
        options, usual=3, longest=LENGTHS, otherwise="the captions of training"
    )
    yield OptionRange(
        "batch_size", 1 <= options.batch_size <= 100_000, "give a number from 1 to 100000"
    )
    yield OptionRange("format", options.format in ("text", "jsonl"), "give text or jsonl")
