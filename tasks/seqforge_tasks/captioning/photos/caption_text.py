"""Captions as the network reads them, and as people do."""

from __future__ import annotations

import re
from typing import Final

from seqforge.metrics import caption_tokens

_CLITIC: Final = re.compile(r" (?='(?:s|m|d|re|ve|ll)\b)| (?=n't\b)|(?<=s) (?='(?: |$))")


def prepared(caption: str) -> str:
    """Return a caption's tokens, joined by spaces: in lower case, without punctuation.

    They are those that captions are scored on, as of the Penn Treebank: "man's" is two of them.
    """
    return " ".join(caption_tokens(caption))


def readable(text: str) -> str:
    """Return tokens that are joined by spaces as people write them: "man 's" as "man's"."""
    return _CLITIC.sub("", text)
