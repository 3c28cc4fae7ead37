"""How good free captions are: the measures of captioning, and how many were cut."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torchmetrics import MeanMetric

from seqforge.metrics import CaptionScores
from seqforge_tasks.captioning.captioner import Candidate


class CaptioningScores(nn.Module):
    """Scores an evaluation's captions, all together and the same on all ranks."""

    def __init__(self) -> None:
        super().__init__()
        self.captions = CaptionScores()
        self.truncated = MeanMetric()

    def update(
        self,
        ids: Sequence[int],
        candidates: Sequence[Candidate | None],
        references: Sequence[Sequence[str]],
    ) -> None:
        """Add captions.

        Args:
            ids: The numbers of their pictures in the data.
            candidates: The best caption of each; None where nothing was found.
            references: All captions of each picture in the data, as they are there.
        """
        texts = ["" if each is None else each.text for each in candidates]
        self.captions.update(ids, texts, references)
        cut = [100.0 * (each is None or each.cut) for each in candidates]
        self.truncated.update(torch.tensor(cut))

    def finish(self) -> dict[str, float]:
        """Return all measures in percent, and begin anew."""
        scores = self.captions.compute()
        self.captions.reset()
        self.truncated.update(torch.empty(0))  # a process may have had nothing to caption
        scores["truncated"] = float(self.truncated.compute())
        self.truncated.reset()
        return scores

    @property
    def lines(self) -> list[str]:
        """The last scores and how they were computed, a line each; empty before the first."""
        return list(self.captions.lines)
