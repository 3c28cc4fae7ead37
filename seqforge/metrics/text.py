"""How near written texts come to their references: BLEU, chrF and exact match of a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sacrebleu import BLEU, CHRF

from seqforge.metrics.text_rows import (
    gathered_rows,
    reference_streams,
    require_new,
    require_scorable,
)
from seqforge.metrics.tokenizers import Tokenizer, require_tokenizer

References = str | Sequence[str]
"""What one text is compared with: a reference, or several of them."""


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
            require_new(number, self._rows)
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
        rows = list(gathered_rows(self._rows).values())
        hypotheses = [row.hypothesis for row in rows]
        require_scorable(hypotheses)
        streams = reference_streams([row.references for row in rows])
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
