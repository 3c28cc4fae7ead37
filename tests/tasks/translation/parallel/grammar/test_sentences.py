from __future__ import annotations

import re

import pytest

from seqforge_tasks.translation.parallel.grammar import LONGEST, SHORTEST, sentence_pair
from seqforge_tasks.translation.parallel.pair import Pair
from tests.tasks.translation.parallel.grammar.test_numbers import FRENCH_NUMBERS, value

SAMPLES = 200_000

FEMININE = (
    "fille|femme|reine|sœur|mère|tante|vache|abeille|voiture|fleur|hache|lampe|clé|horloge|lettre|"
    "boîte|table|chaise|pomme|orange|maison|école|ville|église|cuisine|viande|soupe|eau"
)
MASCULINE = (
    "garçon|homme|enfant|professeur|ami|roi|médecin|frère|oncle|héros|chat|chien|cheval|oiseau|"
    "hibou|lapin|loup|animal|arbre|chapeau|bateau|bijou|cadeau|manteau|livre|journal|sac|lit|œuf|"
    "gâteau|jardin|parc|hôtel|hôpital|château|village|pain|fromage|lait|café|thé"
)
BEFORE = "petit|grand|beau|bel|vieu|vieil|nouv|bon|mauvais|jeune"
FROM = "(?<!viens )(?<!vient )(?<!venons )(?<!viennent )"
VOWEL = "[aeéèêiîoôœu]"


@pytest.fixture(scope="module")
def samples() -> list[Pair]:
    return [sentence_pair(1, index) for index in range(SAMPLES)]


@pytest.fixture(scope="module")
def first() -> list[Pair]:
    return [sentence_pair(0, index) for index in range(1_000)]


def test_every_sentence_has_one_translation(samples: list[Pair]) -> None:
    found: dict[str, set[str]] = {}
    for pair in samples:
        found.setdefault(pair.source, set()).add(pair.target)

    assert {source: many for source, many in found.items() if len(many) > 1} == {}
    assert len(found) > 0.85 * SAMPLES  # and there is no end of sentences


def test_lengths_stay_in_their_range(samples: list[Pair]) -> None:
    lengths = {len(pair.source.split()) for pair in samples}

    assert lengths == set(range(SHORTEST, LONGEST + 1))


@pytest.mark.parametrize(
    "wrong",
    [
        rf"\b(je|ne|que|de|la) (?!hiboux?\b|haches?\b|héros\b|huit\b|onze\b)({VOWEL}|h)",
        rf"\ble (?!hibou\b|héros\b|huit|onze)({VOWEL}|h)",
        r"\b(de|à) les?\b",
        rf"\b(ma|sa|ce) (?!hibou\b|hache\b|héros\b)({VOWEL}|h)",
        rf"\b(un|le|du|au|ce|cet) ({FEMININE})\b",
        rf"\b(une|la|cette|ma|sa) ({MASCULINE})\b",
        rf"\b({FEMININE})s? (vert|blanc|gris|lourd|cher|fort|heureux|fatigué|intelligent)s?\b",
        rf"\b({MASCULINE}) (verte|blanche|grise|lourde|chère|forte|heureuse|fatiguée)\b",
        rf"\b(beau|nouveau|vieux) (?!hibou\b|héros\b)({VOWEL}|h)[a-z]*\b(?<![sx])(?<!est)",
        r"\b(bel|nouvel|vieil) (?![aeéèêiîoôœuh])",
        rf"\b{FROM}(pas|jamais)( souvent| toujours)? (un|une|des|du|de la|de l'[a-z]+)\b",
        rf"(^Des|\b(y a|ont|voi\w+|mang\w+|vend\w*|cherch\w+|ouvr\w+) des) ({BEFORE})",
        r"\bles [a-zéèêœ]+[^sx ] [a-z]+[^sx ]\b(?<!marron)(?<! et)$",
        r" {2}|^ | $| [.,]|[^ ]\?|\.\.",
    ],
)
def test_the_french_has_no_such_mistake(samples: list[Pair], wrong: str) -> None:
    pattern = re.compile(wrong)

    assert [pair.target for pair in samples if pattern.search(pair.target)][:5] == []


def test_both_sides_say_the_same_number(samples: list[Pair]) -> None:
    english = re.compile(r"is ((?:[a-z-]+ )*[a-z-]+)\.")
    sums = [pair for pair in samples if re.match("The (answer|number|result) is ", pair.source)]

    assert len(sums) > 1000
    for pair in sums:
        words = english.search(pair.source)
        assert words
        assert value(words[1]) == value(pair.target.removesuffix(".").partition(" est ")[2])


def test_numbers_of_all_sizes_come(samples: list[Pair]) -> None:
    words = {word for pair in samples for word in re.split(r"[ .-]", pair.target)}

    assert set(FRENCH_NUMBERS.split()) <= words
    assert sum(bool(re.search(r"cent [a-z-]+ mille", pair.target)) for pair in samples) > 1000


def test_the_lectures_phrase_is_among_them(samples: list[Pair]) -> None:
    assert ("The red cat.", "Le chat rouge.") in {pair[:2] for pair in samples}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("The small black dog.", "Le petit chien noir."),
        ("Some women never swim.", "Des femmes ne nagent jamais."),
        ("The children are tired.", "Les enfants sont fatigués."),
        ("The box is old.", "La boîte est vieille."),
        ("Who knows the church?", "Qui connaît l'église ?"),
        ("Where is the big key?", "Où est la grande clé ?"),
        ("Alice knows her old hotel.", "Alice connaît son vieil hôtel."),
        ("Does Alice often drink the tea?", "Est-ce qu'Alice boit souvent le thé ?"),
        ("He is eighty-seven years old.", "Il a quatre-vingt-sept ans."),
        ("He goes to the house every day.", "Il va à la maison tous les jours."),
        ("He does not like the grey bird.", "Il n'aime pas l'oiseau gris."),
        ("There are three eggs in the box.", "Il y a trois œufs dans la boîte."),
    ],
)
def test_sentences_are_translated(first: list[Pair], source: str, target: str) -> None:
    assert {pair.target for pair in first if pair.source == source} == {target}


def test_longer_sentences_are_longer_than_all_others() -> None:
    found = [sentence_pair(0, index, longer=True) for index in range(3000)]
    words = [len(pair.source.split()) for pair in found]

    assert min(words) == LONGEST + 1
    assert max(words) > 2 * LONGEST
    assert all(re.search(r" and | because |, but ", pair.source) for pair in found)
    assert any(" parce qu'" in pair.target for pair in found)
    assert any(" parce que " in pair.target for pair in found)
    wrong = re.compile(rf"\bque (?!hiboux?\b|haches?\b|héros\b|huit\b|onze\b)({VOWEL}|h)")
    assert [pair.target for pair in found if wrong.search(pair.target)] == []


def test_pairs_follow_from_seed_and_number_alone() -> None:
    # Written down: no process, platform or version of Python may find others.
    assert sentence_pair(0, 10) == ("I hear a white cat.", "J'entends un chat blanc.", 11)
    assert sentence_pair(0, 13).target == "Le nouveau manteau est marron."
    assert [sentence_pair(3, index).source for index in range(50)] != [
        sentence_pair(4, index).source for index in range(50)
    ]
