"""Characters that a network does not know: read as unknown, with a note, or refused."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from seqforge.text import Vocabulary
from seqforge_tasks.char_generation.options import Unknown, require_choice


def admit(text: str, vocabulary: Vocabulary, unknown: Unknown) -> None:
    """Let a text pass, unless its unknown characters are to be refused.

    Raises:
        UserError: Names the first unknown character and its place.
    """
    require_choice(unknown)
    if unknown == "refuse":
        vocabulary.require_known(text)


def admit_all(texts: Iterable[str], vocabulary: Vocabulary, unknown: Unknown) -> Iterator[str]:
    """Let texts pass; of the first one with unknown characters a line on stderr says how many.

    Raises:
        UserError: As `admit`.
    """
    noted = False
    for text in texts:
        admit(text, vocabulary, unknown)
        if not noted and not vocabulary.knows(text):
            strange = [sign for sign in text if not vocabulary.knows(sign)]
            what = "1 character" if len(strange) == 1 else f"{len(strange)} characters"
            print(
                f"note: {what} of the input, first {strange[0]!r}, read as unknown: not in the "
                "training text (--unknown refuse stops there)",
                file=sys.stderr,
            )
            noted = True
        yield text
