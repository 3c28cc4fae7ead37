"""What pycocoevalcap finds in captions that were written for it; the file says how."""

import json
from pathlib import Path
from typing import Any, Final

_FOUND: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("caption_scores.json").read_text(encoding="utf-8")
)
HYPOTHESES: Final[list[str]] = [each["hypothesis"] for each in _FOUND["captions"]]
REFERENCES: Final[list[list[str]]] = [each["references"] for each in _FOUND["captions"]]
CIDER: Final[list[float]] = [each["cider"] for each in _FOUND["captions"]]
SCORES: Final[dict[str, float]] = _FOUND["scores"]
SCORES_OF_ONE_REFERENCE: Final[dict[str, float]] = _FOUND["one_reference"]
SCORES_OF_FOUR_WORDS: Final[dict[str, float]] = _FOUND["four_words"]
TOKENS: Final[list[tuple[str, list[str]]]] = [
    (each["text"], each["tokens"]) for each in _FOUND["tokens"]
]
