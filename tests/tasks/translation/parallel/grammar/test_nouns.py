import pytest

from seqforge_tasks.translation.parallel.grammar.adjectives import ADJECTIVES
from seqforge_tasks.translation.parallel.grammar.nouns import (
    NOUNS,
    Kind,
    english_plural,
    french_plural,
    nouns_of,
)


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("chat", "chats"),
        ("oiseau", "oiseaux"),
        ("cheval", "chevaux"),
        ("hôpital", "hôpitaux"),
        ("souris", "souris"),
        ("bijou", "bijoux"),
        ("hibou", "hiboux"),
        ("clé", "clés"),
        ("vieux", "vieux"),
        ("beau", "beaux"),
        ("bleu", "bleus"),
    ],
)
def test_french_plurals(singular: str, plural: str) -> None:
    assert french_plural(singular) == plural


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("cat", "cats"),
        ("box", "boxes"),
        ("church", "churches"),
        ("city", "cities"),
        ("boy", "boys"),
        ("man", "men"),
        ("child", "children"),
        ("mouse", "mice"),
        ("wolf", "wolves"),
        ("hero", "heroes"),
    ],
)
def test_english_plurals(singular: str, plural: str) -> None:
    assert english_plural(singular) == plural


def test_no_word_stands_for_two() -> None:
    english = [form for noun in NOUNS for form in noun.english]
    words = [adjective.english for adjective in ADJECTIVES]

    assert len(set(english)) == len(english)
    assert len(set(words)) == len(words)
    assert set(english).isdisjoint(words)


def test_every_kind_has_nouns() -> None:
    assert all(nouns_of(kind) for kind in Kind)
    assert nouns_of(*Kind) == NOUNS
