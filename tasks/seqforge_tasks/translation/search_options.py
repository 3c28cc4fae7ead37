"""What a user can set when sentences are translated, and which values are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from seqforge.decoding import OptionRange, require_ranges, search_ranges

LENGTHS = 10_000
"""The greatest length in tokens that can be asked for: a search is planned for it in advance."""

LongInput = Literal["refuse", "split"]

Precision = Literal["fp32", "bf16"]


@dataclass
class TranslationOptions:
    """How sentences are translated.

    Attributes:
        beam_size: Translations that are followed at once; 1 is nearly greedy.
        length_penalty: 0 prefers short translations; 1 weighs by length.
        min_length: Tokens that a translation has at least.
        max_length: Tokens that a translation has at most; 0: twice its source's, and 10.
        no_repeat_ngram: No run of this many tokens appears twice in a translation; 0: any may.
        n_best: Translations of each input line, the best first; with more than one, each line of
            output begins with the number of its input line and a tab.
        scores: Write each translation's score and its log-probability in nats before it, with tabs.
        attention: Folder for a picture for each input line: where each word of it comes from.
        batch_size: Sentences that are translated together; it changes speed and memory only.
        long: What becomes of lines longer than any in training: refuse stops, split translates
            them in parts.
        precision: fp32; or bf16, which rounds the factors of products: faster on a processor or GPU
            that has bfloat16, but other translations may win by a hair, and a sentence's may then
            depend on its neighbours in the batch.
    """

    beam_size: int = 5
    length_penalty: float = 1.0
    min_length: int = 0
    max_length: int = 0
    no_repeat_ngram: int = 0
    n_best: int = 1
    scores: bool = False
    attention: str = ""
    batch_size: int = 64
    long: LongInput = "refuse"
    precision: Precision = "fp32"


def require_valid(options: TranslationOptions, prefix: str = "") -> None:
    """Refuse options that are out of range.

    Args:
        options: The options.
        prefix: What stands before the names of keys in a configuration; "": they were given to
            `infer`.

    Raises:
        UserError: Names the first such option.
    """
    require_ranges(options, _ranges(options), prefix)


def _ranges(options: TranslationOptions) -> Iterator[OptionRange]:
    yield from search_ranges(options, usual=5, longest=LENGTHS, otherwise="the length of the input")
    yield OptionRange(
        "batch_size", 1 <= options.batch_size <= 100_000, "give a number from 1 to 100000"
    )
    yield OptionRange("long", options.long in ("refuse", "split"), "give refuse or split")
    yield OptionRange("precision", options.precision in ("fp32", "bf16"), "give fp32 or bf16")
