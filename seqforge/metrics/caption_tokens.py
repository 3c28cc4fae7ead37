"""The words of a caption, as the tables of image captioning count them."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

# The signs that the evaluation of COCO captions leaves out, in the spelling of the Penn Treebank.
# A run such as "!!" is not among them, nor is a bracket, since both are words there.
_LEFT_OUT: Final = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])
_BRACKETS: Final = str.maketrans(
    {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
)
_SAME: Final = str.maketrans(
    {"’": "'", "‘": "`", "“": '"', "”": '"', "«": '"', "»": '"', "–": " -- ", "—": " -- "}
    | {"…": " ... ", "£": "#", "€": "$", "¢": " cents ", "¼": " 1/4 ", "½": " 1/2 ", "¾": " 3/4 "}
    | {"\u00ad": "", "\u200b": " "}
)

# Words that end with a dot which is no full stop. The second ones count only with a capital:
# without, they mean something else.
_ABBREVIATIONS: Final = (
    "al|ala|apr|aug|ave|bhd|blvd|capt|cf|co|col|corp|cos|dec|dept|dr|est|etc|ext|feb|fri|ft|ga|gen|"
    "hon|inc|ind|jan|jos|jr|jul|jun|lt|maj|mar|md|messrs|mich|mme|mo|mon|mont|mr|mrs|ms|mt|nov|oct|"
    "penn|plc|pres|prof|pte|rd|rev|sen|sep|seq|sgt|spc|sq|sr|st|ste|tel|tenn|thu|tue|vs|wed"
)
_CAPITALISED: Final = "Ark|Az|Del|Ill|La|Mass|Miss|Ore|Pa|Wash"

# Whatever is beyond ASCII was set apart before if it is no part of a word.
_LETTER: Final = r"[A-Za-z\u0080-\U0010ffff]"
_WORD: Final = r"[\w\u0080-\U0010ffff]+"
_CLITIC: Final = r"'(?:s|m|d|ll|re|ve|em|n)(?!\w)"

# The first that fits is taken. `(?i:` marks those where the case does not count.
_TOKEN: Final = re.compile(
    "|".join(
        [
            # Most words, by the shortest way.
            r"(?<!\S)(?i:(?!cannot|gonna|gotta|wanna|lemme|gimme)[A-Za-z]+)(?!\S)",
            r"(?i:https?://|www\.)\S*[\w/]",
            r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
            r"</?[A-Za-z]+>",
            r"(?i:-[lr][rsc]b-)",
            r"[:;=]-?[()]",
            # Numbers: "1,000", "3:30", "2.00", ".5".
            r"(?:[-+]?(?:\d+(?:[.,:]\d+)+|(?<!\w)\.\d+)|[-+]\d+)(?:-\w+)*",
            # Initials and abbreviations: "U.S.", "p.m.", "J.", "Mr.", and "No." before a number.
            rf"(?<!\w)(?i:Ph\.D\.|{_LETTER}(?:\.{_LETTER})+(?!\w)\.?|{_LETTER}\.(?!\w))",
            rf"(?<!\w)(?:(?i:{_ABBREVIATIONS})|{_CAPITALISED}|{_CAPITALISED.upper()})\.(?!\w)",
            r"(?<!\w)(?i:no)\.(?=\s*\d)",
            # Words written as one that are two, and their second halves.
            r"(?<!\w)(?i:can(?=not\b)|gon(?=na\b)|got(?=ta\b)|wan(?=na\b)|lem(?=me\b)|gim(?=me\b))",
            r"(?<!\w)(?i:y'(?=\w)|'t(?=(?:is|was)\b)|(?:ol|dunkin|somethin)'(?!\w))",
            r"(?i:'n'|'[2-9]0s\b|'(?:til|cause)\b)",
            rf"(?i:n['`]t(?!\w)|{_CLITIC})",
            # Companies ("AT&T"), then words, which hyphens, slashes and dots may join; what is
            # split off their end is left for the rows above.
            r"(?<!\w)[A-Z]+&[A-Z]+(?!\w)",
            rf"(?i:{_LETTER}+?(?=n['`]t(?!\w)))",
            rf"(?i:{_LETTER}+(?!{_CLITIC})'{_LETTER}+|{_WORD})"
            rf"(?:[-/]{_WORD}|(?<!\d)\.(?={_LETTER}){_WORD})*",
            r"[#@](?=[A-Za-z])\w+",
            r"[!?]{2,}|\.{3,}|-{2,}|\*+|''|``",
            r"\S",
        ]
    )
)


def caption_tokens(text: str) -> list[str]:
    """Split a caption into its words, in lower case and without punctuation.

    These are the words of the evaluation of COCO captions (Chen et al., arXiv:1504.00325), which
    runs the Stanford tokenizer of the Penn Treebank and leaves punctuation out: contractions are
    split ("do", "n't"; "man", "'s"), words with hyphens and numbers stay whole ("t-shirt",
    "1,000"), brackets are words ("-lrb-", "-rrb-"). What comes out is the same but for rarities
    such as telephone numbers. Joined by spaces and split again the words stay what they are,
    unless capitals made them one ("A&M").

    Args:
        text: A caption; it may be empty.

    Returns:
        The words; none if there is nothing but punctuation.
    """
    words = (_spelt(match.group()) for match in _TOKEN.finditer(_folded(text)))
    return [word for word in words if word not in _LEFT_OUT]


def _spelt(token: str) -> str:
    if token == '"':
        return "''"
    if token.startswith("..."):
        return "..."
    if token.startswith("--"):
        return "--"
    return token.translate(_BRACKETS).lower()


def _folded(text: str) -> str:
    if "&" in text:
        text = html.unescape(text)
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text.translate(_SAME))
    return "".join(map(_apart, composed))


def _apart(sign: str) -> str:
    # Signs and raised figures stand for themselves; pictures are no words.
    kind = unicodedata.category(sign)
    if sign > "\uffff" and not kind.startswith("L"):
        return " "
    if kind == "Cf":
        return ""
    if kind == "Cc" or sign.isspace():
        return " "
    alone = sign > "\x7f" and (kind[0] in "PS" or kind in {"Nl", "No"})
    return f" {sign} " if alone else sign
