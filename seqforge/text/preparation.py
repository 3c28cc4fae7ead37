"""`Preparation`: what is done to a language's text before it is encoded, and undone after."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from seqforge.errors import UserError, closest_match, require

TOKENIZERS = ("none", "moses")

_WHITE_SPACE = re.compile(r"[ \t\r\n\f\v]+")
# A no-break space is none of these: French writes it before punctuation.


class Preparation:
    """Puts a text into the form that a vocabulary is made of.

    Runs of white space become one space. Moses' way of tokenising is that of the WMT scripts: lower
    case if asked for, punctuation normalised, then tokenised with quotes and the like escaped
    (`&apos;`), as `sacremoses` does it. Such are the `.lc.norm.tok` files of Multi30k, token by
    token.

    Args:
        language: The language's two letters, such as "en".
        lowercase: Write all in lower case; it cannot be undone.
        tokenize: "none", or "moses", for which the extra `moses` is installed.

    Raises:
        UserError: There is no such way to tokenise.
        MissingExtra: Moses' is asked for, but `sacremoses` is not installed.
    """

    def __init__(
        self,
        language: str,
        lowercase: bool = False,
        tokenize: Literal["none", "moses"] = "none",
    ) -> None:
        if tokenize not in TOKENIZERS:
            raise UserError(
                f"there is no way to tokenise that is called '{tokenize}'",
                where="tokenize",
                accepted=TOKENIZERS,
                closest=closest_match(tokenize, TOKENIZERS),
            )
        self.language = language
        self.lowercase = lowercase
        self.tokenize = tokenize
        if tokenize == "moses":
            require("sacremoses", extra="moses")

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Preparation:
        """Rebuild it from the plain values of `spec`, among which others may be."""
        return cls(spec["language"], spec["lowercase"], spec["tokenize"])

    def spec(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "language": self.language,
            "lowercase": self.lowercase,
            "tokenize": self.tokenize,
        }

    def apply(self, text: str) -> str:
        """Return a text as it is encoded; tokens are then apart from each other by spaces."""
        text = text.lower() if self.lowercase else text
        if self.tokenize == "moses":
            return self._moses.apply(text)
        return _WHITE_SPACE.sub(" ", text).strip(" ")

    def undo(self, text: str) -> str:
        """Return a text for people: detokenised; lower case stays lower case."""
        return self._moses.undo(text) if self.tokenize == "moses" else text

    @cached_property
    def _moses(self) -> _Moses:
        return _Moses(self.language)


class _Moses:
    """The scripts of Moses: `normalize-punctuation.perl`, `tokenizer.perl`, `detokenizer.perl`."""

    def __init__(self, language: str) -> None:
        sacremoses: Any = require("sacremoses", extra="moses")
        # With the Perl script's slips too (it makes a double quote of an apostrophe U+2019): texts
        # in print were made with them, and scores on those are comparable only so.
        self._normalizer = sacremoses.MosesPunctNormalizer(language, perl_parity=True)
        self._tokenizer = sacremoses.MosesTokenizer(language)
        self._detokenizer = sacremoses.MosesDetokenizer(language)

    def apply(self, text: str) -> str:
        # The Perl script reads lines with their line feeds, and one of its rules (a quote after a
        # full stop) wants some character to follow.
        normal = self._normalizer.normalize(text + "\n")
        return str(self._tokenizer.tokenize(normal, escape=True, return_str=True))

    def undo(self, text: str) -> str:
        return str(self._detokenizer.detokenize(text.split(), unescape=True))
