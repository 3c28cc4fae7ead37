"""How good free translations are: BLEU, chrF, exact match, and how many were cut."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torchmetrics import MeanMetric

from seqforge.metrics import TextScores, tokenizer_for
from seqforge.text import Preparation
from seqforge_tasks.translation.translator import Candidate


class TranslationScores(nn.Module):
    """Scores an evaluation's translations, all together and the same on all ranks.

    BLEU and chrF are those of detokenised text, as sacrebleu tells them. Where the text is
    tokenised for the network, the tokenised BLEU of old tables stands beside them as
    `bleu_tokenized`; both references and translations are then as the network knows them.

    Args:
        preparation: The target's.
    """

    def __init__(self, preparation: Preparation) -> None:
        super().__init__()
        self.preparation = preparation
        language, lowercase = preparation.language, preparation.lowercase
        self.detokenized = TextScores(tokenizer_for(language), lowercase)
        tokenised = preparation.tokenize != "none"
        self.tokenized = TextScores("none") if tokenised else None
        self.cut = MeanMetric()

    def update(
        self, ids: Sequence[int], candidates: Sequence[Candidate | None], references: Sequence[str]
    ) -> None:
        """Add translations.

        Args:
            ids: Their numbers in the data.
            candidates: The best translation of each; None where nothing was found.
            references: The translations in the data, as they are there.
        """
        texts = ["" if each is None else each.text for each in candidates]
        self.detokenized.update(ids, texts, references)
        if self.tokenized is not None:
            prepared = ["" if each is None else each.prepared for each in candidates]
            known = [self.preparation.apply(reference) for reference in references]
            self.tokenized.update(ids, prepared, known)
        cut = [100.0 if each is None or each.cut else 0.0 for each in candidates]
        self.cut.update(torch.tensor(cut))

    def finish(self) -> dict[str, float]:
        """Return all scores in percent, and begin anew."""
        scores = self.detokenized.compute()
        self.detokenized.reset()
        if self.tokenized is not None:
            scores["bleu_tokenized"] = self.tokenized.compute()["bleu"]
            self.tokenized.reset()
        self.cut.update(torch.empty(0))  # a process may have had nothing to translate
        scores["cut"] = float(self.cut.compute())
        self.cut.reset()
        return scores

    @property
    def lines(self) -> list[str]:
        """The last scores with their signatures, a line each; empty before the first."""
        tokenized = () if self.tokenized is None else self.tokenized.lines[:1]
        return [*self.detokenized.lines, *(f"tokenized {line}" for line in tokenized)]
