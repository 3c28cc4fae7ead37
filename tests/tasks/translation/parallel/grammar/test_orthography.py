import pytest

from seqforge_tasks.translation.parallel.grammar.orthography import (
    capitalised,
    contracted,
    elided,
    with_article,
)


@pytest.mark.parametrize(
    ("word", "following", "expected"),
    [
        ("le", "chat", "le chat"),
        ("le", "ami", "l'ami"),
        ("la", "école", "l'école"),
        ("le", "œuf", "l'œuf"),
        ("le", "homme", "l'homme"),
        ("la", "horloge", "l'horloge"),
        ("la", "hache", "la hache"),
        ("le", "hibou", "le hibou"),
        ("le", "héros", "le héros"),
        ("le", "petit oiseau", "le petit oiseau"),
        ("ne", "est", "n'est"),
        ("ne", "habitent", "n'habitent"),
        ("je", "aime", "j'aime"),
        ("que", "Alice aime", "qu'Alice aime"),
        ("que", "Marie aime", "que Marie aime"),
        ("de", "huit livres", "de huit livres"),
        ("de", "onze livres", "de onze livres"),
    ],
)
def test_a_vowel_is_dropped_before_a_vowel(word: str, following: str, expected: str) -> None:
    assert elided(word, following) == expected


@pytest.mark.parametrize(
    ("preposition", "phrase", "expected"),
    [
        ("de", "le chat", "du chat"),
        ("de", "la maison", "de la maison"),
        ("de", "l'école", "de l'école"),
        ("de", "les amis", "des amis"),
        ("de", "un ami", "d'un ami"),
        ("de", "notre ami", "de notre ami"),
        ("à", "le roi", "au roi"),
        ("à", "la reine", "à la reine"),
        ("à", "l'homme", "à l'homme"),
        ("à", "les enfants", "aux enfants"),
        ("à", "une amie", "à une amie"),
        ("près de", "le lit", "près du lit"),
        ("loin de", "les villes", "loin des villes"),
        ("près de", "un arbre", "près d'un arbre"),
        ("dans", "le sac", "dans le sac"),
    ],
)
def test_prepositions_join_articles(preposition: str, phrase: str, expected: str) -> None:
    assert contracted(preposition, phrase) == expected


def test_english_articles_and_capitals() -> None:
    assert [with_article(words) for words in ("apple", "old dog", "dog")] == [
        "an apple",
        "an old dog",
        "a dog",
    ]
    assert capitalised("œufs et Marie") == "Œufs et Marie"
