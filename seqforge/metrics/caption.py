"""How near captions come to those that people wrote: CIDEr-D, BLEU, ROUGE-L, exact match."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from sacrebleu import BLEU
from sacrebleu.metrics.bleu import BLEUScore

from seqforge.metrics.caption_cider import CiderD
from seqforge.metrics.caption_rouge import caption_rouge_l
from seqforge.metrics.caption_tokens import caption_tokens
from seqforge.metrics.text_rows import (
    gathered_rows,
    reference_streams,
    require_new,
    require_scorable,
)

_ORDERS: Final = (1, 2, 3, 4)


class _Row(NamedTuple):
    written: str
    hypothesis: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]


class CaptionScores:
    """Scores all captions of an evaluation together, each once, whichever process wrote it.

    The measures are those of the evaluation of COCO captions (Chen et al., arXiv:1504.00325), on
    the words of `caption_tokens`: CIDEr-D (Vedantam et al., CVPR 2015), with the references that
    are given as its documents; BLEU-1 to BLEU-4 of the corpus (Papineni et al., ACL 2002), against
    the reference of the nearest length; ROUGE-L (Lin, ACL 2004), averaged over the pictures. An
    exact match has the words of one of its references. "distinct" is the share of captions that
    differ, 100 where no two are the same: a network that looks away writes one for all pictures.

    All are percentages; CIDEr-D, whose highest is 1000, is times 100 as tables print it.

    Attributes:
        lines: The last scores as lines to show, with how they were computed; empty before.
    """

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = ()
        self._rows: dict[int, _Row] = {}

    def update(
        self, ids: Sequence[int], hypotheses: Sequence[str], references: Sequence[Sequence[str]]
    ) -> None:
        """Add captions of this process.

        Args:
            ids: The numbers of the pictures in the data, one for each caption; no number twice
                before `reset`, on whatever process: it would count twice.
            hypotheses: What was written; it may be empty. No preparation is needed.
            references: For each picture all that people wrote, at least one.

        Raises:
            ValueError: The lengths differ, a number is negative (a filler's) or came before, or a
                picture has no reference.
        """
        for number, hypothesis, known in zip(ids, hypotheses, references, strict=True):
            require_new(number, self._rows)
            if isinstance(known, str) or not known:
                raise ValueError(f"sample {number} has no reference, or one that is not in a list")
            words = tuple(tuple(caption_tokens(each)) for each in known)
            self._rows[number] = _Row(hypothesis, tuple(caption_tokens(hypothesis)), words)

    def compute(self) -> dict[str, float]:
        """Return the scores of all processes' captions together, the same on each of them.

        All processes must call it, also one that has no caption.

        Returns:
            "cider", "bleu_1" to "bleu_4", "rouge_l", "exact_match" and "distinct", in percent.

        Raises:
            UserError: There is no caption at all, or more than a tenth of them are still split
                into pieces, which would count as words.
            ValueError: Two processes scored the same picture.
        """
        rows = list(gathered_rows(self._rows).values())
        require_scorable([row.written for row in rows])
        bleu = _bleu(rows)
        shares = {
            "rouge_l": sum(caption_rouge_l(row.hypothesis, row.references) for row in rows),
            "exact_match": sum(map(_matches, rows)),
            "distinct": len({row.hypothesis for row in rows}),
        }
        found = {
            "cider": _cider(rows),
            **{f"bleu_{order}": _of_order(bleu, order) for order in _ORDERS},
            **{name: 100.0 * each / len(rows) for name, each in shares.items()},
        }
        self.lines = _lines(found, bleu, rows)
        return found

    def reset(self) -> None:
        """Forget all captions: the next evaluation begins."""
        self._rows = {}


def _matches(row: _Row) -> bool:
    return bool(row.hypothesis) and row.hypothesis in row.references


def _cider(rows: Sequence[_Row]) -> float:
    scorer = CiderD.of([row.references for row in rows])
    known = [scorer.prepare(row.references) for row in rows]
    return float(scorer.scores([row.hypothesis for row in rows], known).mean())


def _bleu(rows: Sequence[_Row]) -> BLEUScore:
    # The words are split already, which the library would otherwise warn of.
    scorer = BLEU(tokenize="none", smooth_method="none", force=True)
    references = [tuple(map(" ".join, row.references)) for row in rows]
    hypotheses = [" ".join(row.hypothesis) for row in rows]
    found: BLEUScore = scorer.corpus_score(hypotheses, reference_streams(references))
    return found


def _of_order(bleu: BLEUScore, order: int) -> float:
    product = math.prod(each / 100 for each in bleu.precisions[:order])
    return float(100 * bleu.bp * product ** (1 / order))


def _lines(found: dict[str, float], bleu: BLEUScore, rows: Sequence[_Row]) -> tuple[str, ...]:
    counts = {len(row.references) for row in rows}
    each = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    orders = " / ".join(f"{found[f'bleu_{order}']:.2f}" for order in _ORDERS)
    return (
        f"CIDEr-D = {found['cider']:.2f}, over {len(rows)} captions with {each} references each",
        f"BLEU-1 to 4 = {orders}, BP = {bleu.bp:.3f} ({bleu.sys_len} words against {bleu.ref_len})",
        f"ROUGE-L = {found['rouge_l']:.2f}, exact match = {found['exact_match']:.2f}, "
        f"distinct captions = {found['distinct']:.2f}",
    )
