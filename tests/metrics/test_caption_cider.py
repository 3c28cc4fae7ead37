from __future__ import annotations

import math
import random
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.metrics import CiderD, caption_tokens, document_frequencies
from tests.metrics.caption_fixtures import CIDER, HYPOTHESES, REFERENCES

Caption = list[str]

CAPTIONS = st.lists(st.sampled_from("abcd"), max_size=6)
PICTURES = st.lists(
    st.tuples(CAPTIONS, st.lists(CAPTIONS, min_size=1, max_size=3)), min_size=1, max_size=5
)


def ngrams(words: Caption, order: int) -> Counter[str]:
    return Counter(" ".join(words[i : i + order]) for i in range(len(words) - order + 1))


def from_the_paper(hypotheses: list[Caption], references: list[list[Caption]]) -> list[float]:
    """CIDEr-D by whole vectors over all n-grams, as its equations have it."""
    totals = np.zeros(len(hypotheses))
    for order in range(1, 5):
        texts = [*hypotheses, *(each for known in references for each in known)]
        vocabulary = sorted({ngram for words in texts for ngram in ngrams(words, order)})
        having = [{g for words in known for g in ngrams(words, order)} for known in references]
        seen = np.array([max(1, sum(g in each for each in having)) for g in vocabulary])
        rarity = np.log(len(references) / seen)
        for number, (words, known) in enumerate(zip(hypotheses, references, strict=True)):
            own = np.array([ngrams(words, order)[g] for g in vocabulary]) * rarity
            for other_words in known:
                other = np.array([ngrams(other_words, order)[g] for g in vocabulary]) * rarity
                lengths = float(np.linalg.norm(own) * np.linalg.norm(other))
                cosine = float(np.minimum(own, other) @ other) / lengths if lengths else 0.0
                apart = max(1, len(words)) - max(1, len(other_words))
                totals[number] += cosine * math.exp(-(apart**2) / 72) / len(known)
    return [float(each) for each in 1000 * totals / 4]


def scored(hypotheses: list[Caption], references: list[list[Caption]]) -> list[float]:
    scorer = CiderD.of(references)
    found = scorer.scores(hypotheses, [scorer.prepare(each) for each in references])
    return [float(each) for each in found]


def words_of(texts: list[str]) -> list[Caption]:
    return [caption_tokens(text) for text in texts]


def test_the_evaluation_of_coco_finds_the_same_for_each_picture() -> None:
    found = scored(words_of(HYPOTHESES), [words_of(each) for each in REFERENCES])

    assert found == pytest.approx(CIDER, abs=1e-6)
    assert max(found) > 300
    assert min(found) == 0


@given(pictures=PICTURES)
@settings(max_examples=100, deadline=None)
def test_the_equations_of_the_paper_give_the_same(
    pictures: list[tuple[Caption, list[Caption]]],
) -> None:
    hypotheses, references = [own for own, _ in pictures], [known for _, known in pictures]

    found = scored(hypotheses, references)

    assert found == pytest.approx(from_the_paper(hypotheses, references), abs=1e-6)
    assert all(0 <= each <= 1000 + 1e-6 for each in found)


def test_a_reference_itself_scores_all_and_its_words_in_disorder_less() -> None:
    references = [[["a", "b", "c", "d", "e"]], [["f", "g", "h", "i"]]]

    right, disordered = (
        scored([text.split(), ["f"]], references)[0] for text in ("a b c d e", "b a d c e")
    )

    assert right == pytest.approx(1000)
    assert disordered == pytest.approx(250)


def test_frequencies_may_come_from_other_pictures() -> None:
    # "b" is in no picture of training and tells most, "a" is in all and tells nothing.
    training = [[["a"]], [["a", "c"], ["a"]], [["a"], ["c", "a"]]]
    frequencies = document_frequencies(training)
    scorer = CiderD(frequencies, len(training))
    known = scorer.prepare([["a"], ["b"], ["c"]])

    found = scorer.scores([["a"], ["b"], ["c"], ["d"]], [known] * 4)

    assert frequencies[("a",)] == 3
    assert frequencies[("c",)] == 2
    assert frequencies[("a", "c")] == 1
    # The only vectors that have a length are those of single words: one of four, one of three.
    assert found.tolist() == pytest.approx([0, 1000 / 12, 1000 / 12, 0])


def test_one_picture_tells_nothing() -> None:
    assert scored([["a", "b"]], [[["a", "b"]]]) == [0]


def test_what_does_not_belong_together_is_refused() -> None:
    scorer = CiderD({("a",): 2}, 2)
    with pytest.raises(ValueError, match="do not belong to 1 pictures"):
        CiderD({("a",): 2}, 1)
    with pytest.raises(ValueError, match="do not belong to 0 pictures"):
        CiderD.of([])
    with pytest.raises(ValueError, match="no reference"):
        scorer.prepare([])
    with pytest.raises(ValueError, match="zip"):
        scorer.scores([["a"]], [])


def test_two_hundred_captions_are_scored_in_a_moment() -> None:
    draw = random.Random(0)
    captions = [draw.choices([f"word{i}" for i in range(60)], k=11) for _ in range(400)]
    references = [captions[i : i + 5] for i in range(0, 200, 5)]
    scorer = CiderD.of(references)
    known = [scorer.prepare(each) for each in references] * 5
    seconds = []
    for _ in range(5):
        begin = time.process_time()
        scorer.scores(captions[200:], known)
        seconds.append(time.process_time() - begin)

    assert min(seconds) < 0.06  # a fifth of it is usual
