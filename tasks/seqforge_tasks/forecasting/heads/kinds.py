"""The heads by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from seqforge.errors import UserError, closest_match
from seqforge_tasks.forecasting.heads.base import Head
from seqforge_tasks.forecasting.heads.gaussian import GaussianHead
from seqforge_tasks.forecasting.heads.point import PointHead
from seqforge_tasks.forecasting.heads.point import PointLoss as PointLoss
from seqforge_tasks.forecasting.heads.quantile import QuantileHead
from seqforge_tasks.forecasting.heads.student_t import StudentTHead

HeadKind = Literal["point", "quantile", "gaussian", "student_t"]
KINDS: tuple[str, ...] = get_args(HeadKind)


def make_head(kind: HeadKind, loss: PointLoss, quantiles: Sequence[float]) -> Head:
    """Make a head by its name.

    Args:
        kind: "point", "quantile", "gaussian" or "student_t".
        loss: Of a point head.
        quantiles: Levels of a quantile head.

    Raises:
        UserError: There is no such head, or its own option is out of range.
    """
    if kind == "point":
        return PointHead(loss)
    if kind == "quantile":
        return QuantileHead(quantiles)
    if kind == "gaussian":
        return GaussianHead()
    if kind == "student_t":
        return StudentTHead()
    raise UserError(
        f"no head is named '{kind}'",
        where="model.task.head",
        accepted=KINDS,
        closest=closest_match(kind, KINDS),
    )
