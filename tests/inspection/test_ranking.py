import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqforge.inspection.features import Feature
from seqforge.inspection.ranking import COLUMNS, Unit, area_score, rank_correlation, rank_units

DIGITS = Feature("digits", lambda symbols: (symbol == "1" for symbol in symbols))
SIZES = Feature("sizes", lambda symbols: (int(symbol) for symbol in symbols), graded=True)

Pairs = st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=30).filter(
    lambda pairs: len({inside for inside, _ in pairs}) == 2
)


@given(pairs=Pairs)
def test_the_area_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[bool, int]]) -> None:
    inside = np.array([where for where, _ in pairs])
    values = np.array([float(value) for _, value in pairs])
    here, elsewhere = values[inside], values[~inside]
    # Of all pairs, one inside and one outside: those won less those lost.
    expected = np.sign(here[:, None] - elsewhere[None, :]).mean()

    (found,) = area_score(inside, pd.DataFrame(values).rank().to_numpy())

    assert found == pytest.approx(expected)
    assert -1 <= found <= 1


@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 5), st.integers(-9, 9)), min_size=3, max_size=30
    ).filter(lambda pairs: min(len({pair[i] for pair in pairs}) for i in (0, 1)) > 1)
)
def test_the_correlation_is_pandas_spearman(pairs: list[tuple[int, int]]) -> None:
    frame = pd.DataFrame(pairs, columns=["a", "b"], dtype=float)
    ranks = frame.rank()
    expected = ranks["a"].corr(ranks["b"])  # Spearman's is Pearson's of the ranks

    (found,) = rank_correlation(frame["a"].to_numpy(), ranks[["b"]].to_numpy())

    assert found == pytest.approx(expected)


def test_units_are_ranked_by_the_first_half_and_measured_again_on_the_second() -> None:
    symbols = list("10" * 20)
    follows = torch.tensor([float(symbol) for symbol in symbols])
    turns = torch.where(torch.arange(40) < 20, -follows, follows)  # -1 first, then 1
    weak = torch.cat([follows[:20] + torch.linspace(0, 1.5, 20), follows[20:]])
    layers = [torch.stack([torch.zeros(40), weak], dim=1), torch.stack([turns, follows], dim=1)]

    table = rank_units(symbols, layers, [DIGITS]).table

    assert list(table.columns) == COLUMNS
    assert [Unit(*row) for row in table[["layer", "unit"]].itertuples(index=False)] == [
        Unit(2, 1),
        Unit(2, 2),
        Unit(1, 2),
        Unit(1, 1),
    ]
    assert list(table["rank"]) == [1, 2, 3, 4]
    assert table["first_half"].to_list()[:2] == [-1, 1]
    assert table["second_half"].to_list() == [1, 1, 1, 0]
    assert 0 < table["first_half"][2] < 1
    assert table["first_half"][3] == 0  # never moves, follows nothing


def test_graded_features_are_correlated() -> None:
    symbols = list("0123456789" * 4)
    unit = torch.tensor([float(symbol) ** 3 for symbol in symbols])  # order alone counts

    table = rank_units(symbols, [torch.stack([unit, -unit], dim=1)], [SIZES]).table

    assert table["first_half"].to_list() == pytest.approx([1, -1])
    assert set(table["statistic"]) == {"Spearman"}


def test_features_that_do_not_occur_are_left_out() -> None:
    units = [torch.randn(40, 3)]

    both = rank_units(list("10" * 20), units, [DIGITS])
    assert both.left_out == ()
    assert both.features == ["digits"]
    assert len(both.best("digits", 2)) == 2
    assert not both.table.isna().any(axis=None)

    # Without them in the second half, nothing says whether a unit follows them.
    for text in ("10" * 10 + "00" * 10, "00" * 10 + "10" * 10, "00" * 20):
        nothing = rank_units(list(text), units, [DIGITS])
        assert nothing.left_out == ("digits",)
        assert nothing.features == []
        assert list(nothing.table.columns) == COLUMNS
