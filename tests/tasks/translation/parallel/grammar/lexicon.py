"""Looks up words of the grammar's lexicon, for tests."""

from seqforge_tasks.translation.parallel.grammar.adjectives import ADJECTIVES
from seqforge_tasks.translation.parallel.grammar.noun_phrases import (
    Core,
    Determiner,
    Phrase,
    noun_phrase,
)
from seqforge_tasks.translation.parallel.grammar.nouns import NOUNS
from seqforge_tasks.translation.parallel.grammar.verbs import (
    BE,
    COME,
    COST,
    GIVING,
    GO,
    HAVE,
    INTRANSITIVE,
    LIVE,
    TRANSITIVE,
    WEIGH,
    Verb,
)

VERBS = (BE, HAVE, GO, COME, COST, WEIGH, LIVE, *TRANSITIVE, *INTRANSITIVE, *GIVING)


def core(words: str) -> Core:
    """The noun and the adjectives of these English words, such as "small red cat"."""
    *described, last = words.split()
    (noun,) = (each for each in NOUNS if each.english[0] == last)
    adjectives = [each for each in ADJECTIVES if each.english in described]
    before = next((each for each in adjectives if each.before), None)
    after = next((each for each in adjectives if not each.before), None)
    assert len(adjectives) == len(described)
    return Core(noun, before, after)


def phrase(
    words: str,
    determiner: Determiner = Determiner.THE,
    plural: bool = False,
    count: int = 2,
    denied: bool = False,
) -> Phrase:
    """A noun phrase of these English words."""
    return noun_phrase(core(words), determiner, plural, count, denied)


def verb(base: str) -> Verb:
    """The verb of this English base form."""
    return next(each for each in VERBS if each.english[0] == base)
