"""Intervals that are corrected until they cover as often as they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from seqforge.errors import UserError


class ConformalIntervals(nn.Module):
    """Split-conformal correction of intervals, learnt from windows that nothing else learns from.

    How far a target lies outside an interval, `max(low - y, y - high)`, is its score. Each level
    and step of the horizon is widened (or narrowed) by the score whose rank among `n` is
    `ceil((n + 1) * level)`: where calibration and new windows are exchangeable, an interval then
    covers a new target with at least its level's probability, whatever the network (conformalised
    quantile regression, Romano et al. 2019; around a point it is the ordinary split-conformal
    interval). Channels are pooled. The corrections are buffers, so a checkpoint has them; before
    the first calibration they are 0.

    Args:
        levels: `N` levels in percent, in increasing order.
        horizon: `H`, steps that are calibrated.

    Raises:
        UserError: The levels are no increasing percentages between 0 and 100.
    """

    corrections: Tensor
    calibrated: Tensor

    def __init__(self, levels: Sequence[float], horizon: int) -> None:
        super().__init__()
        rising = all(low < high for low, high in pairwise(levels))
        if not (levels and rising and levels[0] > 0 and levels[-1] < 100):
            raise UserError(
                f"levels {list(levels)} are no increasing percentages between 0 and 100",
                where="model.task.levels",
                todo="give levels such as [80, 95]",
            )
        self.levels = tuple(levels)
        self.horizon = horizon
        self.register_buffer("corrections", torch.zeros(horizon, len(self.levels)))
        self.register_buffer("calibrated", torch.zeros((), dtype=torch.bool))
        self._scores = _Scores()
        self._note = ""

    def update(self, low: Tensor, high: Tensor, target: Tensor, observed: Tensor) -> None:
        """Add calibration windows.

        Args:
            low: Lower bounds, not corrected `(B, H, K, N)`.
            high: Upper bounds.
            target: `(B, H, K)`, in the same scale.
            observed: Which targets calibrate `(B, H, K)`, bool.
        """
        value = target.unsqueeze(-1)
        scores = torch.maximum(low - value, value - high).float()
        scores = torch.where(observed.unsqueeze(-1), scores, math.nan)
        used = observed.any(dim=1)  # (B, K): others would only take memory
        self._scores.update(scores.transpose(1, 2)[used])

    def finish(self) -> None:
        """Correct by all windows since the last time, those of all ranks.

        Without any, and where they are too few for a level, as in a pass that was limited, the
        corrections stay as they are; `notes` then says so. All processes must call it.
        """
        self._scores.update(self.corrections.new_zeros(0, *self.corrections.shape))
        found: Tensor = self._scores.compute()
        # The library makes a scalar of a single number.
        scores = found.reshape(-1, *self.corrections.shape)  # (M, H, N), NaN is missing
        self._scores.reset()
        self._note = ""
        if not len(scores):
            return
        counts = (~scores[..., 0].isnan()).sum(dim=0).tolist()  # (H,)
        needed = windows_needed(self.levels[-1])
        if min(counts) < needed:
            self._note = (
                f"the pass had {min(counts)} windows to calibrate intervals, and those of "
                f"{self.levels[-1]:g} % need {needed}: the intervals stay as they were"
            )
            return
        ranks = torch.tensor(
            [[_rank(level, count) for level in self.levels] for count in counts],
            device=scores.device,
        )
        ordered = scores.sort(dim=0).values  # NaN comes last
        self.corrections.copy_(ordered.gather(0, ranks.unsqueeze(0) - 1)[0])
        self.calibrated.fill_(True)

    def notes(self) -> list[str]:
        """Return what to know of the last calibration: whether it had too few windows."""
        return [self._note] if self._note else []

    def corrected(
        self, low: Tensor, high: Tensor, chosen: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return corrected bounds `(B, H, K, N)`; wider levels hold the narrower ones.

        Steps behind the calibrated horizon get the correction of its last step, which promises
        nothing for them.

        Args:
            low: Lower bounds `(B, H, K, N)`.
            high: Upper bounds.
            chosen: Which of the levels they are, in increasing order; None: all.
        """
        steps = torch.arange(low.size(1), device=low.device).clamp(max=self.horizon - 1)
        levels = list(range(len(self.levels))) if chosen is None else list(chosen)
        correction = self.corrections[steps][:, levels].to(low.dtype).unsqueeze(1)  # (H, 1, N)
        low, high = low - correction, high + correction
        # Narrowed by more than its width, an interval is the point between.
        middle = (low + high) / 2
        low, high = torch.minimum(low, middle), torch.maximum(high, middle)
        return low.cummin(dim=-1).values, high.cummax(dim=-1).values


def require_windows(levels: Sequence[float], count: int) -> None:
    """Refuse data that can never calibrate the intervals.

    Args:
        levels: In percent, in increasing order.
        count: Windows of the whole calibration part.

    Raises:
        UserError: There are too few for the highest level.
    """
    needed = windows_needed(levels[-1])
    if count < needed:
        raise UserError(
            f"intervals of {levels[-1]:g} % need {needed} windows to be calibrated, and the data "
            f"have {count}",
            where="model.task.conformal, data.calibration",
            todo="give data.calibration, a share of the validation windows, such as 0.5; or more "
            "validation, or lower model.task.levels",
        )


def windows_needed(level: float) -> int:
    """Return the fewest calibration windows from which an interval can be had.

    Args:
        level: In percent, below 100.
    """
    return math.ceil(level / (100 - level) - 1e-9)


def _rank(level: float, count: int) -> int:
    """Return which of the sorted scores, counted from 1, corrects a level."""
    # 0.8 * 5 must be 4 also where the product is rounded upwards.
    return max(math.ceil(level * (count + 1) / 100 - 1e-9), 1)


class _Scores(Metric):
    """The scores of all windows `(M, H, N)`, of all ranks."""

    full_state_update = False
    parts: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("parts", [], dist_reduce_fx="cat")

    def update(self, scores: Tensor) -> None:
        self.parts.append(scores)

    def compute(self) -> Tensor:
        return dim_zero_cat(self.parts)
