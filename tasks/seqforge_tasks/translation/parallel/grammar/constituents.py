"""The parts that a sentence is drawn from: subjects, objects, places, adverbs."""

from __future__ import annotations

from typing import Final

from seqforge_tasks.translation.parallel.grammar.clauses import (
    NOTHING,
    Mood,
    Person,
    Subject,
    Words,
    subject_of,
)
from seqforge_tasks.translation.parallel.grammar.draws import Draws
from seqforge_tasks.translation.parallel.grammar.noun_phrases import (
    FEW,
    Core,
    Determiner,
    Phrase,
    draw_core,
    mass_phrase,
    noun_phrase,
)
from seqforge_tasks.translation.parallel.grammar.nouns import (
    DISHES,
    DRINKS,
    NAMES,
    Kind,
    Noun,
    nouns_of,
)
from seqforge_tasks.translation.parallel.grammar.orthography import contracted
from seqforge_tasks.translation.parallel.grammar.verbs import Taste, Verb

PERSONS: Final = nouns_of(Kind.PERSON)
LIVING: Final = nouns_of(Kind.PERSON, Kind.ANIMAL)
PLACES: Final = nouns_of(Kind.PLACE)
FURNITURE: Final = nouns_of(Kind.FURNITURE)
BOXES: Final = nouns_of(Kind.BOX)

OFTEN: Final = Words("often", "souvent")
ALWAYS: Final = Words("always", "toujours")

TIMES: Final = (
    Words("today", "aujourd'hui"),
    Words("now", "maintenant"),
    Words("every day", "tous les jours"),
    Words("in the morning", "le matin"),
    Words("in the evening", "le soir"),
)

WHO: Final = Subject("who", "qui", Person.HE)
I: Final = Subject("I", "je", Person.I)  # noqa: E741 - it is the word itself
HE: Final = Subject("he", "il", Person.HE)
SHE: Final = Subject("she", "elle", Person.HE, feminine=True)
WE: Final = Subject("we", "nous", Person.WE)

_DEFINITE: Final = (
    *[Determiner.THE] * 6,
    Determiner.MY,
    Determiner.OUR,
    Determiner.HIS,
    Determiner.HER,
    Determiner.THIS,
    Determiner.THE_COUNT,
)
_ANY: Final = (
    *_DEFINITE,
    *[Determiner.A] * 4,
    *[Determiner.SOME] * 2,
    *[Determiner.COUNT] * 2,
)
_LIKED: Final = (*_DEFINITE, *[Determiner.ALL] * 5)

_BY_TASTE: Final = {
    Taste.SEEN: _ANY,
    Taste.KNOWN: _DEFINITE,
    Taste.LIKED: _LIKED,
    Taste.EATEN: _ANY,
    Taste.DRUNK: _ANY,
}

_ABOUT_PLACES: Final = (
    *[Words("in", "dans")] * 4,
    Words("behind", "derrière"),
    Words("in front of", "devant"),
    Words("near", "près de"),
    Words("far from", "loin de"),
)
_ABOUT_FURNITURE: Final = (
    *[Words("on", "sur")] * 2,
    *[Words("under", "sous")] * 2,
    Words("behind", "derrière"),
    Words("near", "près de"),
)
_ABOUT_BOXES: Final = (Words("in", "dans"),)


def draw_count(draws: Draws) -> int:
    """Return how many of something there are: mostly a few, sometimes up to 99."""
    return draws.pick(FEW) if draws.chance(80) else 2 + draws.below(98)


def draw_number(draws: Draws) -> int:
    """Return a number from 2 to 999,999; each number of digits is as likely as another."""
    largest = 10 ** (1 + draws.below(6))
    return 2 + draws.below(largest - 2)


def draw_phrase(
    draws: Draws,
    nouns: tuple[Noun, ...],
    determiners: tuple[Determiner, ...] = _ANY,
    denied: bool = False,
) -> Phrase:
    """Return a noun phrase of one of these nouns."""
    core = draw_core(draws, nouns)
    determiner = draws.pick(determiners)
    plural = draws.chance(30)
    counts = determiner in (Determiner.COUNT, Determiner.THE_COUNT)
    count = draw_count(draws) if counts else 2
    return noun_phrase(core, determiner, plural, count, denied)


def draw_subject(draws: Draws, nouns: tuple[Noun, ...], agrees: bool = False) -> Subject:
    """Return a subject.

    Args:
        draws: The choices.
        nouns: What it can be; a pronoun or a name stands for a person.
        agrees: An adjective will follow it: neither "I" nor "we", whose gender English hides.
    """
    kind = draws.below(20) if nouns[0].kind is Kind.PERSON else 20
    if kind < 5:
        return draws.pick((HE, SHE) if agrees else (HE, SHE, I, WE))
    if kind < 7:
        name, feminine = draws.pick(NAMES)
        return Subject(name, name, Person.HE, feminine)
    if kind < 8:
        number = draws.below(len(NAMES))
        first = NAMES[number]
        second = NAMES[(number + 1 + draws.below(len(NAMES) - 1)) % len(NAMES)]
        feminine = first[1] and second[1]  # one man makes them masculine
        names = f"{first[0]} and {second[0]}", f"{first[0]} et {second[0]}"
        return Subject(*names, Person.THEY, feminine)
    return subject_of(draw_phrase(draws, nouns))


def draw_definite(draws: Draws, nouns: tuple[Noun, ...]) -> Phrase:
    """Return a noun phrase that is known: the, my, this."""
    return draw_phrase(draws, nouns, _DEFINITE)


def draw_object(draws: Draws, verb: Verb, denied: bool) -> Words:
    """Return a verb's object.

    Args:
        draws: The choices.
        verb: What takes it.
        denied: The verb is negated.
    """
    masses = DRINKS if verb.taste is Taste.DRUNK else DISHES
    massive = verb.taste is Taste.DRUNK or (verb.taste is Taste.EATEN and draws.chance(40))
    if massive:
        found = mass_phrase(draws.pick(masses), draws.chance(70), denied)
    else:
        found = draw_phrase(draws, nouns_of(*verb.objects), _BY_TASTE[verb.taste], denied)
    if draws.chance(6) and found.english.startswith("the "):
        return Words(*_owned(draws, found))
    return Words(found.english, found.french)


def _owned(draws: Draws, found: Phrase) -> tuple[str, str]:
    owner = noun_phrase(Core(draws.pick(PERSONS)), Determiner.THE)
    return f"{found.english} of {owner.english}", f"{found.french} {contracted('de', owner.french)}"


def draw_place(draws: Draws) -> Words:
    """Return where something is."""
    kind = draws.below(10)
    if kind < 6:
        nouns, prepositions = PLACES, _ABOUT_PLACES
    elif kind < 9:
        nouns, prepositions = FURNITURE, _ABOUT_FURNITURE
    else:
        nouns, prepositions = BOXES, _ABOUT_BOXES
    preposition = draws.pick(prepositions)
    core = draw_core(draws, nouns) if draws.chance(30) else Core(draws.pick(nouns))
    place = noun_phrase(core, draws.pick(_DEFINITE[:11]))
    return Words(
        f"{preposition.english} {place.english}", contracted(preposition.french, place.french)
    )


def draw_mood(draws: Draws) -> Mood:
    """Return a mood: most clauses state something."""
    chosen = draws.below(20)
    if chosen < 12:
        return Mood.STATES
    if chosen < 16:
        return Mood.DENIES
    return Mood.NEVER if chosen == 16 else Mood.ASKS


def draw_adverb(draws: Draws, mood: Mood) -> Words:
    """Return how often, or no words; nothing goes with "never"."""
    if mood is Mood.NEVER or draws.chance(85):
        return NOTHING
    return draws.pick((OFTEN, ALWAYS))
