"""The units of all layers, ranked by how sharply each follows a feature of the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from seqforge.inspection.features import FEATURES, Feature

COLUMNS = ["feature", "rank", "layer", "unit", "statistic", "first_half", "second_half"]

Floats = NDArray[np.float64]


class Unit(NamedTuple):
    """A unit; layers and units are counted from 1."""

    layer: int
    number: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.number}"


class Ranking(NamedTuple):
    """Which units follow what.

    Attributes:
        table: One row for each feature and unit, with the columns feature, rank (from 1), layer,
            unit, statistic, first_half and second_half; the latter two in [-1, 1]. A minus says
            that the unit follows by going down.
        left_out: The names of the features that do not occur in both halves.
    """

    table: pd.DataFrame
    left_out: tuple[str, ...]

    @property
    def features(self) -> list[str]:
        """The names of those that occur."""
        return list(self.table["feature"].unique())

    def best(self, feature: str, count: int) -> pd.DataFrame:
        """Give the first rows of a feature."""
        return self.table[self.table["feature"] == feature].head(count)


def rank_units(
    symbols: Sequence[str], units: Sequence[Tensor], features: Sequence[Feature] = FEATURES
) -> Ranking:
    """Rank all units on the first half of a text, and measure them again on the second.

    The best of a thousand units is partly the luckiest one: only its value on the second half,
    which had no part in choosing it, says how sharp it is.

    Args:
        symbols: `T` symbols.
        units: The activations of each layer, `(T, H)`.
        features: What may be followed.

    Returns:
        The ranking, features in their given order.
    """
    activations = np.concatenate([layer.double().cpu().numpy() for layer in units], axis=1)
    names = [Unit(i, j) for i, layer in enumerate(units, 1) for j in range(1, layer.size(1) + 1)]
    half = len(symbols) // 2
    halves = [slice(0, half), slice(half, None)]
    ranks = [_ranks(activations[part]) for part in halves]
    tables, left_out = [], []
    for feature in features:
        values = feature.values(symbols)
        if not all(feature.occurs(values[part]) for part in halves):
            left_out.append(feature.name)
            continue
        first, second = (
            _sharpness(values[part], rank, feature)
            for part, rank in zip(halves, ranks, strict=True)
        )
        order = np.argsort(-np.abs(first), kind="stable")
        columns = {
            "feature": feature.name,
            "rank": np.arange(1, len(order) + 1),
            "layer": [names[place].layer for place in order],
            "unit": [names[place].number for place in order],
            "statistic": "Spearman" if feature.graded else "2 AUC - 1",
            "first_half": first[order],
            "second_half": second[order],
        }
        tables.append(pd.DataFrame(columns))
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
    return Ranking(whole, tuple(left_out))


def area_score(inside: NDArray[np.bool_], ranks: Floats) -> Floats:
    """Give `2 AUC - 1` of each unit: 1 if it is higher wherever the feature is, -1 if lower.

    The area under the curve is the Mann-Whitney statistic over the number of pairs.

    Args:
        inside: `(T,)`, where the feature is; somewhere, and not everywhere.
        ranks: `(T, U)`, each unit's ranks from 1, ties sharing their mean.

    Returns:
        `(U,)` in [-1, 1].
    """
    here, elsewhere = int(inside.sum()), int((~inside).sum())
    pairs_won = ranks[inside].sum(axis=0) - here * (here + 1) / 2
    score: Floats = 2 * pairs_won / (here * elsewhere) - 1
    return score


def rank_correlation(values: Floats, ranks: Floats) -> Floats:
    """Give Spearman's correlation of each unit with numbers `(T,)`; 0 for a unit that never moves.

    Args:
        values: `(T,)`, not all the same.
        ranks: `(T, U)`, each unit's ranks.

    Returns:
        `(U,)` in [-1, 1].
    """
    a = _ranks(values[:, None])[:, 0]
    a = (a - a.mean()) / np.linalg.norm(a - a.mean())
    b = ranks - ranks.mean(axis=0)
    sizes = np.linalg.norm(b, axis=0)
    correlation: Floats = a @ b / np.where(sizes > 0, sizes, 1.0)
    return correlation


def _sharpness(values: Floats, ranks: Floats, feature: Feature) -> Floats:
    if feature.graded:
        return rank_correlation(values, ranks)
    return area_score(values > 0, ranks)


def _ranks(columns: Floats) -> Floats:
    ranks: Floats = pd.DataFrame(columns).rank().to_numpy()
    return ranks
