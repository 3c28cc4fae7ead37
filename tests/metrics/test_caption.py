from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge.metrics import CaptionScores
from tests.metrics.caption_fixtures import (
    HYPOTHESES,
    REFERENCES,
    SCORES,
    SCORES_OF_FOUR_WORDS,
    SCORES_OF_ONE_REFERENCE,
)

COUNT = len(HYPOTHESES)


def scored(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> CaptionScores:
    scores = CaptionScores()
    scores.update(range(len(hypotheses)), hypotheses, references)
    return scores


# -- the measures ----------------------------------------------------------------------------------


def test_the_evaluation_of_coco_finds_the_same() -> None:
    found = scored(HYPOTHESES, REFERENCES).compute()

    for name, expected in SCORES.items():
        assert found[name] == pytest.approx(expected, abs=1e-6), name
    assert found["exact_match"] == pytest.approx(100 * 2 / COUNT)
    assert found["distinct"] == pytest.approx(100 * (COUNT - 1) / COUNT)
    assert set(found) == {*SCORES, "exact_match", "distinct"}


def test_the_evaluation_of_coco_finds_the_same_with_one_reference() -> None:
    found = scored(HYPOTHESES, [known[-1:] for known in REFERENCES]).compute()

    for name, expected in SCORES_OF_ONE_REFERENCE.items():
        assert found[name] == pytest.approx(expected, abs=1e-6), name


def test_the_evaluation_of_coco_takes_as_much_off_short_captions() -> None:
    scores = scored([" ".join(text.split()[:4]) for text in HYPOTHESES], REFERENCES)

    found = scores.compute()

    for name, expected in SCORES_OF_FOUR_WORDS.items():
        assert found[name] == pytest.approx(expected, abs=1e-6), name
    assert "BP = 0.491 (45 words against 77)" in scores.lines[1]


def test_captions_that_share_no_four_words_have_no_bleu_4() -> None:
    found = scored(["a b c x", "p q y z"], [["a b c d"], ["p q r s"]]).compute()

    assert found["bleu_4"] == 0
    assert found["bleu_3"] == pytest.approx(100 * (5 / 8 * 3 / 6 * 1 / 4) ** (1 / 3))


def test_the_reference_of_the_nearest_length_counts() -> None:
    # Of those as near, the shorter: three words against two, so that nothing is taken off.
    near = scored(["a b c"], [["a b", "a b c d", "x x x x x x x x"]])
    assert near.compute()["bleu_1"] == 100
    assert "BP = 1.000 (3 words against 2)" in near.lines[1]


def test_perfect_captions_score_all() -> None:
    captions = [
        "a dog runs over the grass",
        "two boys fly a yellow kite",
        "an old man reads a book",
    ]

    found = scored(captions, [[each] for each in captions]).compute()

    expected = dict.fromkeys(found, 100.0) | {"cider": 1000.0}
    assert found == pytest.approx(expected)


def test_empty_captions_score_nothing() -> None:
    found = scored(["", "."], [["a dog"], ["two cats", "..."]]).compute()

    assert found == dict.fromkeys(found, 0.0) | {"distinct": 50.0}


@pytest.mark.parametrize(
    "other",
    ["A dog's ball , on the grass .", "a dog 's ball on the grass", "A DOG’S BALL…on the grass!"],
)
def test_case_punctuation_and_spaces_do_not_count(other: str) -> None:
    own = ["a dog's ball on the grass", "two boys"]
    references = [["A dog's ball is on the grass.", "a dog's ball on the grass"], ["Two girls."]]

    assert scored([other, own[1]], references).compute() == scored(own, references).compute()


def test_one_caption_for_all_pictures_is_told_by_its_share() -> None:
    assert scored(["a dog"] * 20, [["a cat"]] * 20).compute()["distinct"] == 5


# -- numbers, orders, evaluations ------------------------------------------------------------------


@given(order=st.permutations(range(COUNT)), cuts=st.sets(st.integers(1, COUNT - 1)))
@settings(max_examples=20, deadline=None)
def test_order_and_batches_change_nothing(order: list[int], cuts: set[int]) -> None:
    scores = CaptionScores()
    for begin, end in pairwise([0, *sorted(cuts), COUNT]):
        batch = order[begin:end]
        scores.update(batch, [HYPOTHESES[i] for i in batch], [REFERENCES[i] for i in batch])

    assert scores.compute() == scored(HYPOTHESES, REFERENCES).compute()


def test_a_reset_begins_anew() -> None:
    scores = scored(HYPOTHESES, REFERENCES)
    scores.compute()
    scores.reset()
    scores.update([0], ["a cat"], [["a cat"]])

    assert scores.compute()["exact_match"] == 100
    scores.reset()
    with pytest.raises(UserError, match="no text"):
        scores.compute()


@pytest.mark.parametrize(
    ("ids", "references", "message"),
    [
        ([0, 1, 0], [["a"], ["b"], ["c"]], "sample 0 is scored twice"),
        ([0, 1, -1], [["a"], ["b"], ["c"]], "sample -1 is a filler"),
        ([0, 1, 2], [["a"], ["b"], []], "sample 2 has no reference"),
        ([0, 1, 2], [["a"], "a text", ["c"]], "sample 1 has no reference, or one .* not in a list"),
        ([0, 1], [["a"], ["b"]], "zip"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    ids: list[int], references: list[Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        CaptionScores().update(ids, ["a", "b", "c"], references)


def test_pieces_are_refused() -> None:
    with pytest.raises(UserError, match=r"1 of 2 texts are split into pieces, such as '▁a ▁dog'"):
        scored(["▁a ▁dog", "a cat"], [["a dog"], ["a cat"]]).compute()


def test_the_lines_to_show_have_all_scores() -> None:
    scores = scored(HYPOTHESES, REFERENCES)

    scores.compute()
    cider, bleu, others = scores.lines

    assert cider == "CIDEr-D = 172.26, over 13 captions with 1 to 5 references each"
    assert bleu.startswith("BLEU-1 to 4 = 71.68 / 63.04 / 55.16 / 48.00, BP = 1.000 (")
    assert CaptionScores().lines == ()
    assert others == "ROUGE-L = 63.29, exact match = 15.38, distinct captions = 92.31"
