from __future__ import annotations

import pytest

from seqforge_tasks.translation.parallel.grammar.clauses import (
    NOTHING,
    Mood,
    Person,
    Subject,
    Words,
    clause,
    subject_of,
)
from seqforge_tasks.translation.parallel.grammar.constituents import ALWAYS, HE, OFTEN, SHE, WE, I
from seqforge_tasks.translation.parallel.grammar.verbs import Verb
from tests.tasks.translation.parallel.grammar import lexicon

STATES, DENIES, NEVER, ASKS = Mood
ALICE = Subject("Alice", "Alice", Person.HE, feminine=True)
BOY = subject_of(lexicon.phrase("boy"))
FRIENDS = subject_of(lexicon.phrase("friend", plural=True))
BED = Words("under the bed", "sous le lit")


@pytest.mark.parametrize(
    ("subject", "verb", "mood", "complement", "adverb", "english", "french"),
    [
        (I, "like", STATES, "cats/les chats", NOTHING, "I like cats", "j'aime les chats"),
        (
            I,
            "like",
            DENIES,
            "cats/les chats",
            NOTHING,
            "I do not like cats",
            "je n'aime pas les chats",
        ),
        (
            HE,
            "have",
            DENIES,
            "a bird/d'oiseau",
            NOTHING,
            "he does not have a bird",
            "il n'a pas d'oiseau",
        ),
        (
            WE,
            "eat",
            STATES,
            "bread/du pain",
            OFTEN,
            "we often eat bread",
            "nous mangeons souvent du pain",
        ),
        (WE, "swim", NEVER, "/", NOTHING, "we never swim", "nous ne nageons jamais"),
        (
            SHE,
            "drink",
            NEVER,
            "water/d'eau",
            NOTHING,
            "she never drinks water",
            "elle ne boit jamais d'eau",
        ),
        (
            SHE,
            "write",
            DENIES,
            "letters/les lettres",
            ALWAYS,
            "she does not always write letters",
            "elle n'écrit pas toujours les lettres",
        ),
        (HE, "sleep", ASKS, "/", OFTEN, "does he often sleep", "est-ce qu'il dort souvent"),
        (
            ALICE,
            "read",
            ASKS,
            "the book/le livre",
            NOTHING,
            "does Alice read the book",
            "est-ce qu'Alice lit le livre",
        ),
        (
            BOY,
            "see",
            ASKS,
            "the cat/le chat",
            NOTHING,
            "does the boy see the cat",
            "est-ce que le garçon voit le chat",
        ),
        (
            FRIENDS,
            "come",
            STATES,
            "from the city/de la ville",
            NOTHING,
            "the friends come from the city",
            "les amis viennent de la ville",
        ),
        (
            FRIENDS,
            "look for",
            ASKS,
            "me/x",
            NOTHING,
            "do the friends look for me",
            "est-ce que les amis cherchent x",
        ),
        (
            BOY,
            "look for",
            STATES,
            "me/x",
            NOTHING,
            "the boy looks for me",
            "le garçon cherche x",
        ),
    ],
)
def test_verbs_agree_in_every_mood(
    subject: Subject,
    verb: str,
    mood: Mood,
    complement: str,
    adverb: Words,
    english: str,
    french: str,
) -> None:
    words = Words(*complement.split("/"))

    found = clause(subject, lexicon.verb(verb), mood, words, adverb)

    assert (found.english, found.french) == (english, french)
    assert found.asks is (mood is ASKS)


@pytest.mark.parametrize(
    ("subject", "mood", "english", "french"),
    [
        (I, STATES, "I am under the bed", "je suis sous le lit"),
        (I, DENIES, "I am not under the bed", "je ne suis pas sous le lit"),
        (WE, NEVER, "we are never under the bed", "nous ne sommes jamais sous le lit"),
        (HE, DENIES, "he is not under the bed", "il n'est pas sous le lit"),
        (FRIENDS, ASKS, "are the friends under the bed", "est-ce que les amis sont sous le lit"),
    ],
)
def test_to_be_takes_no_helper(subject: Subject, mood: Mood, english: str, french: str) -> None:
    found = clause(subject, lexicon.verb("be"), mood, BED)

    assert (found.english, found.french) == (english, french)


@pytest.mark.parametrize(
    ("base", "forms"),
    [
        ("eat", "mange mange mangeons mangent"),
        ("buy", "achète achète achetons achètent"),
        ("know", "connais connaît connaissons connaissent"),
        ("weigh", "pèse pèse pesons pèsent"),
        ("like", "aime aime aimons aiment"),
        ("open", "ouvre ouvre ouvrons ouvrent"),
        ("go", "vais va allons vont"),
    ],
)
def test_verbs_are_conjugated(base: str, forms: str) -> None:
    found: Verb = lexicon.verb(base)

    assert found.french == tuple(forms.split())
