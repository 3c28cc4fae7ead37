"""How near written texts come to their references: BLEU, chrF and exact match of a corpus."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final, NamedTuple, cast

import torch
from sacrebleu import BLEU, CHRF

from seqforge.errors import UserError
from seqforge.metrics.tokenizers import Tokenizer, require_tokenizer

References = str | Sequence[str]
"""What one text is compared with: a reference, or several of them."""

# What the usual splitters leave in a text whose pieces were not joined again.
_PIECE: Final = re.compile(r"@@(?=\s|$)|▁")
_PIECES_ALLOWED: Final = 0.1


class _Row(NamedTuple):
    hypothesis: str
    references: tuple[str, ...]


class TextScores:
    """Scores all texts of an evaluation together, each once, whichever process wrote it.

    BLEU (Papineni et al., ACL 2002) and chrF (Popović, WMT 2015) are computed by the sacrebleu
    library (Post, WMT 2018) from the strings themselves: they are the scores of the corpus, not
    means over batches or processes. An exact match is a text that equals one of its references.
    All three are percentages, from 0 to 100. White space of any kind and length counts as one
    space, so that a line break within a text cannot shift the lines of a dumped corpus.

    Args:
        tokenizer: How BLEU splits words. "13a" is for detokenised text; "none" gives the tokenised
            BLEU of old tables, from texts that were tokenised before.
        lowercase: Leave the case out, in all three.

    Attributes:
        signatures: By the names of the scores, how the last ones were computed; empty before.
        lines: The last scores as lines to show, each with its signature; empty before.

    Raises:
        UserError: The tokenizer is not known, or needs a package that is not installed.
    """

    def __init__(self, tokenizer: Tokenizer = "13a", lowercase: bool = False) -> None:
        require_tokenizer(tokenizer)
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.signatures: dict[str, str] = {}
        self.lines: tuple[str, ...] = ()
        self._rows: dict[int, _Row] = {}

    def update(
        self, ids: Sequence[int], hypotheses: Sequence[str], references: Sequence[References]
    ) -> None:
        """Add texts of this process.

        Args:
            ids: Their numbers in the data, one for each text; no number twice before `reset`, on
                whatever process: it would count twice.
            hypotheses: What was written; it may be empty.
            references: What should have been written, for each text one reference or several.

        Raises:
            ValueError: The lengths differ, a number is negative (a filler's) or came before, or a
                text has no reference.
        """
        for number, hypothesis, known in zip(ids, hypotheses, references, strict=True):
            if number < 0:
                raise ValueError(f"sample {number} is a filler and must not be scored")
            if number in self._rows:
                raise _twice(number)
            given = (known,) if isinstance(known, str) else tuple(known)
            if not given:
                raise ValueError(f"sample {number} has no reference")
            self._rows[number] = _Row(_spaced(hypothesis), tuple(map(_spaced, given)))

    def compute(self) -> dict[str, float]:
        """Return the scores of all processes' texts together, the same on each of them.

        All processes must call it, also one that has no text.

        Returns:
            "bleu", "chrf" and "exact_match", in percent.

        Raises:
            UserError: There is no text at all, or more than a tenth of the texts are still split
                into pieces, which BLEU would count as words.
            ValueError: Two processes scored the same sample.
        """
        rows = list(_merged(_gathered(self._rows)).values())
        hypotheses = [row.hypothesis for row in rows]
        _require_scorable(hypotheses)
        streams = _streams([row.references for row in rows])
        # The library warns of texts that look tokenised already; for "none" they should be.
        tokenised = self.tokenizer == "none"
        bleu = BLEU(tokenize=self.tokenizer, lowercase=self.lowercase, force=tokenised)
        chrf = CHRF(lowercase=self.lowercase)
        found = {
            "bleu": bleu.corpus_score(hypotheses, streams),
            "chrf": chrf.corpus_score(hypotheses, streams),
        }
        matches = 100.0 * sum(map(self._matches, rows)) / len(rows)
        signature = bleu.get_signature()
        own = f"nrefs:{signature.info['nrefs']}|case:{signature.info['case']}"
        self.signatures = {
            "bleu": signature.format(),
            "chrf": chrf.get_signature().format(),
            "exact_match": own,
        }
        shown = [found["bleu"].format(), found["chrf"].format(), f"exact match = {matches:.2f}"]
        self.lines = tuple(
            f"{score}, signature {each}"
            for score, each in zip(shown, self.signatures.values(), strict=True)
        )
        return {name: float(score.score) for name, score in found.items()} | {
            "exact_match": matches
        }

    def reset(self) -> None:
        """Forget all texts: the next evaluation begins."""
        self._rows = {}

    def _matches(self, row: _Row) -> bool:
        if not self.lowercase:
            return row.hypothesis in row.references
        return row.hypothesis.lower() in [each.lower() for each in row.references]


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _twice(number: int) -> ValueError:
    return ValueError(f"sample {number} is scored twice: call reset() between two evaluations")


def _gathered(rows: Mapping[int, _Row]) -> Sequence[Mapping[int, _Row]]:
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [rows]
    parts: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(parts, rows)
    return parts


def _merged(parts: Sequence[Mapping[int, _Row]]) -> dict[int, _Row]:
    merged: dict[int, _Row] = {}
    for part in parts:
        if shared := merged.keys() & part.keys():
            raise _twice(min(shared))
        merged.update(part)
    return dict(sorted(merged.items()))


def _streams(references: Sequence[tuple[str, ...]]) -> list[list[str]]:
    # The library wants one whole document for each reference; None stands where a text has fewer,
    # which its documentation allows and its types forget.
    documents = map(list, zip_longest(*references))
    return cast("list[list[str]]", list(documents))


def _require_scorable(hypotheses: Sequence[str]) -> None:
    if not hypotheses:
        raise UserError(
            "there is no text to score",
            todo="give an evaluation part with at least one text",
        )
    split = [text for text in hypotheses if _PIECE.search(text)]
    if len(split) > _PIECES_ALLOWED * len(hypotheses):
        raise UserError(
            f"{len(split)} of {len(hypotheses)} texts are split into pieces, such as "
            f"'{split[0][:40]}'",
            todo="join the pieces ('@@' or '▁' marks them) to words before the texts are scored",
        )
