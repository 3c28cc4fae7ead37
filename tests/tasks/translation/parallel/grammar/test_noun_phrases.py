from __future__ import annotations

import pytest

from seqforge_tasks.translation.parallel.grammar.noun_phrases import Determiner, mass_phrase
from seqforge_tasks.translation.parallel.grammar.nouns import DISHES, DRINKS
from tests.tasks.translation.parallel.grammar import lexicon

THE, A, SOME, ALL = Determiner.THE, Determiner.A, Determiner.SOME, Determiner.ALL
COUNT, THE_COUNT = Determiner.COUNT, Determiner.THE_COUNT
MY, HIS, HER, OUR, THIS = (
    Determiner.MY,
    Determiner.HIS,
    Determiner.HER,
    Determiner.OUR,
    Determiner.THIS,
)


@pytest.mark.parametrize(
    ("words", "determiner", "plural", "english", "french"),
    [
        ("red cat", THE, False, "the red cat", "le chat rouge"),
        ("red cat", THE, True, "the red cats", "les chats rouges"),
        ("white house", THE, False, "the white house", "la maison blanche"),
        ("small white house", A, False, "a small white house", "une petite maison blanche"),
        ("small red cat", SOME, True, "some small red cats", "de petits chats rouges"),
        ("old tree", SOME, True, "some old trees", "de vieux arbres"),
        ("red cat", SOME, True, "some red cats", "des chats rouges"),
        ("beautiful man", A, False, "a beautiful man", "un bel homme"),
        ("beautiful woman", A, False, "a beautiful woman", "une belle femme"),
        ("beautiful tree", THE, True, "the beautiful trees", "les beaux arbres"),
        ("beautiful garden", A, False, "a beautiful garden", "un beau jardin"),
        ("beautiful hero", A, False, "a beautiful hero", "un beau héros"),
        ("old friend", MY, False, "my old friend", "mon vieil ami"),
        ("old apple", THE, False, "the old apple", "la vieille pomme"),
        ("old friend", MY, True, "my old friends", "mes vieux amis"),
        ("new hotel", THE, False, "the new hotel", "le nouvel hôtel"),
        ("new clock", THE, False, "the new clock", "la nouvelle horloge"),
        ("new axe", THIS, False, "this new axe", "cette nouvelle hache"),
        ("owl", THIS, False, "this owl", "ce hibou"),
        ("tree", THIS, False, "this tree", "cet arbre"),
        ("bee", THIS, False, "this bee", "cette abeille"),
        ("man", THIS, True, "these men", "ces hommes"),
        ("school", MY, False, "my school", "mon école"),
        ("small school", MY, False, "my small school", "ma petite école"),
        ("axe", HER, False, "her axe", "sa hache"),
        ("clock", HIS, False, "his clock", "son horloge"),
        ("sister", HIS, True, "his sisters", "ses sœurs"),
        ("church", OUR, False, "our church", "notre église"),
        ("egg", THE, False, "the egg", "l'œuf"),
        ("egg", A, False, "an egg", "un œuf"),
        ("brown cow", THE, True, "the brown cows", "les vaches marron"),
        ("blue jewel", THE, True, "the blue jewels", "les bijoux bleus"),
        ("grey mouse", THE, True, "the grey mice", "les souris grises"),
        ("happy horse", ALL, True, "happy horses", "les chevaux heureux"),
        ("happy queen", ALL, True, "happy queens", "les reines heureuses"),
        ("expensive car", A, False, "an expensive car", "une voiture chère"),
    ],
)
def test_adjectives_and_determiners_agree(
    words: str, determiner: Determiner, plural: bool, english: str, french: str
) -> None:
    found = lexicon.phrase(words, determiner, plural)

    assert (found.english, found.french, found.plural) == (english, french, plural)


@pytest.mark.parametrize(
    ("words", "count", "english", "french"),
    [
        ("apple", 21, "twenty-one apples", "vingt et une pommes"),
        ("book", 21, "twenty-one books", "vingt et un livres"),
        ("small red cat", 3, "three small red cats", "trois petits chats rouges"),
        ("house", 80, "eighty houses", "quatre-vingts maisons"),
        ("house", 81, "eighty-one houses", "quatre-vingt-une maisons"),
        ("horse", 200, "two hundred horses", "deux cents chevaux"),
        ("key", 1001, "one thousand and one keys", "mille une clés"),
    ],
)
def test_nouns_are_counted(words: str, count: int, english: str, french: str) -> None:
    found = lexicon.phrase(words, COUNT, count=count)
    definite = lexicon.phrase(words, THE_COUNT, count=count)

    assert (found.english, found.french) == (english, french)
    assert (definite.english, definite.french) == (f"the {english}", f"les {french}")


@pytest.mark.parametrize(
    ("words", "determiner", "english", "french"),
    [
        ("cat", A, "a cat", "de chat"),
        ("bird", A, "a bird", "d'oiseau"),
        ("owl", A, "an owl", "de hibou"),
        ("red bird", SOME, "any red birds", "d'oiseaux rouges"),
        ("small bird", SOME, "any small birds", "de petits oiseaux"),
        ("cat", THE, "the cat", "le chat"),
        ("cat", MY, "my cat", "mon chat"),
        ("cat", COUNT, "two cats", "deux chats"),
    ],
)
def test_a_denied_object_loses_its_article(
    words: str, determiner: Determiner, english: str, french: str
) -> None:
    found = lexicon.phrase(words, determiner, denied=True)

    assert (found.english, found.french) == (english, french)


def test_masses_come_in_parts() -> None:
    bread, meat, water = DISHES[0], DISHES[2], DRINKS[0]

    assert [mass_phrase(each, partial=True).french for each in (bread, meat, water)] == [
        "du pain",
        "de la viande",
        "de l'eau",
    ]
    denied = [mass_phrase(each, partial=True, denied=True) for each in (bread, meat, water)]
    assert [each.french for each in denied] == ["de pain", "de viande", "d'eau"]
    assert [each.english for each in denied] == ["bread", "meat", "water"]
    assert mass_phrase(water, partial=False, denied=True)[:2] == ("the water", "l'eau")
