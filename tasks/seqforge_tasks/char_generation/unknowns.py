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


def unknown_characters(text: str, vocabulary: Vocabulary, name: str) -> str:
    """Say how many characters of a text are read as unknown, and the first; empty if none is.

    Args:
        text: The text.
        vocabulary: What is known.
        name: What the text is called.
    """
    if vocabulary.knows(text):
        return ""
    strange = [sign for sign in text if not vocabulary.knows(sign)]
    what = "1 character" if len(strange) == 1 else f"{len(strange)} characters"
    return f"{what} of the {name}, first {strange[0]!r}, read as unknown: not in the training text"


def admit_all(
    texts: Iterable[str], vocabulary: Vocabulary, unknown: Unknown, name: str = "input"
) -> Iterator[str]:
    """Let texts pass; of the first one with unknown characters a line on stderr says how many.

    Args:
        texts: The texts.
        vocabulary: What is known.
        unknown: What to do with other characters.
        name: What a text is called.

    Raises:
        UserError: As `admit`.
    """
    noted = False
    for text in texts:
        admit(text, vocabulary, unknown)
        if not noted and (note := unknown_characters(text, vocabulary, name)):
            print(f"note: {note} (--unknown refuse stops there)", file=sys.stderr)
            noted = True
        yield text
