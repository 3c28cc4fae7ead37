"""The kinds of clauses that sentences are made of."""

from __future__ import annotations

from typing import Final

from seqforge_tasks.translation.parallel.grammar.adjectives import ADJECTIVES, Adjective
from seqforge_tasks.translation.parallel.grammar.clauses import (
    NOTHING,
    Clause,
    Mood,
    Person,
    Subject,
    Words,
    clause,
    subject_of,
)
from seqforge_tasks.translation.parallel.grammar.constituents import (
    LIVING,
    PERSONS,
    PLACES,
    WHO,
    draw_adverb,
    draw_definite,
    draw_mood,
    draw_number,
    draw_object,
    draw_place,
    draw_subject,
)
from seqforge_tasks.translation.parallel.grammar.draws import Draws
from seqforge_tasks.translation.parallel.grammar.noun_phrases import (
    Determiner,
    core_words,
    draw_core,
    noun_phrase,
)
from seqforge_tasks.translation.parallel.grammar.nouns import Kind, nouns_of
from seqforge_tasks.translation.parallel.grammar.numbers import english_number, french_number
from seqforge_tasks.translation.parallel.grammar.orthography import contracted, elided
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
)

_THINGS: Final = nouns_of(Kind.THING, Kind.READING, Kind.BOX, Kind.FURNITURE, Kind.FOOD)
_ANIMALS: Final = nouns_of(Kind.ANIMAL)
_SUBJECTS: Final = {kind: nouns_of(kind) for kind in Kind}
_DESCRIBED: Final = {
    kind: tuple(each for each in ADJECTIVES if kind in each.kinds) for kind in Kind
}
_FOUND: Final = (Determiner.A, Determiner.A, Determiner.SOME, Determiner.COUNT)
_NOT_FOUND: Final = (Determiner.A, Determiner.SOME)
_TOTALS: Final = (
    Words("the answer", "la réponse"),
    Words("the number", "le nombre"),
    Words("the result", "le résultat"),
)


def action(draws: Draws) -> Clause:
    """Somebody does something: "the boy never eats bread"."""
    verb, mood = draws.pick(TRANSITIVE), draw_mood(draws)
    subject = draw_subject(draws, LIVING if verb.animals and draws.chance(30) else PERSONS)
    found = draw_object(draws, verb, mood.denies)
    return clause(subject, verb, mood, found, draw_adverb(draws, mood))


def rest(draws: Draws) -> Clause:
    """Somebody does something somewhere: "the cat sleeps under the table"."""
    verb, mood = draws.pick(INTRANSITIVE), draw_mood(draws)
    subject = draw_subject(draws, _ANIMALS if verb.animals and draws.chance(40) else PERSONS)
    place = draw_place(draws) if draws.chance(70) else NOTHING
    return clause(subject, verb, mood, place, draw_adverb(draws, mood))


def giving(draws: Draws) -> Clause:
    """Somebody gives something to somebody: "Paul donne un livre au roi"."""
    verb, mood = draws.pick(GIVING), draw_mood(draws)
    subject = draw_subject(draws, PERSONS)
    given = draw_object(draws, verb, mood.denies)
    receiver = draw_definite(draws, PERSONS)
    words = Words(
        f"{given.english} to {receiver.english}",
        f"{given.french} {contracted('à', receiver.french)}",
    )
    return clause(subject, verb, mood, words, draw_adverb(draws, mood))


def journey(draws: Draws) -> Clause:
    """Somebody goes to a place, or comes from it: "elle vient du château"."""
    mood = draw_mood(draws)
    subject = draw_subject(draws, LIVING)
    place = draw_definite(draws, PLACES)
    if draws.chance(50):
        words = Words(f"to {place.english}", contracted("à", place.french))
        return clause(subject, GO, mood, words, draw_adverb(draws, mood))
    words = Words(f"from {place.english}", contracted("de", place.french))
    return clause(subject, COME, mood, words, draw_adverb(draws, mood))


def description(draws: Draws) -> Clause:
    """Something is somehow: "the flowers are not very beautiful"."""
    mood = draw_mood(draws)
    kind = draws.pick((Kind.PERSON, Kind.PERSON, *Kind))
    subject = draw_subject(draws, _SUBJECTS[kind], agrees=True)
    adjective: Adjective = draws.pick(_DESCRIBED[kind])
    french = adjective.form(subject.feminine, subject.plural)
    words = Words(adjective.english, french)
    if draws.chance(25):
        words = Words(f"very {words.english}", f"très {words.french}")
    return clause(subject, BE, mood, words)


def location(draws: Draws) -> Clause:
    """Something is somewhere: "is the key in the bag", "where is the key"."""
    kind = draws.pick((Kind.PERSON, Kind.ANIMAL, Kind.THING, Kind.READING, Kind.FOOD))
    if draws.chance(10):
        subject = subject_of(draw_definite(draws, _SUBJECTS[kind]))
        english, french = ("are", "sont") if subject.plural else ("is", "est")
        return Clause(f"where {english} {subject.english}", f"où {french} {subject.french}", True)
    subject, mood = draw_subject(draws, _SUBJECTS[kind]), draw_mood(draws)
    return clause(subject, BE, mood, draw_place(draws))


def existence(draws: Draws) -> Clause:
    """Something is there: "there is no small cat in the garden"."""
    place = draw_place(draws)
    core = draw_core(draws, nouns_of(Kind.ANIMAL, Kind.THING, Kind.READING, Kind.FOOD))
    chosen = draws.below(20)
    if chosen < 2:
        english, french = core_words(core, plural=True)
        asked = f"how many {english} are there", f"combien {elided('de', french)} y a-t-il"
        return Clause(f"{asked[0]} {place.english}", f"{asked[1]} {place.french}", True)
    if chosen < 6:
        found = noun_phrase(core, draws.pick(_NOT_FOUND), denied=True)
        english = core_words(core, found.plural)[0]
        words = f"there {_be(found.plural)} no {english}", f"il n'y a pas {found.french}"
        return Clause(f"{words[0]} {place.english}", f"{words[1]} {place.french}")
    many = draws.chance(30)
    count = draw_number(draws) if many else 2 + draws.below(11)
    determiner = Determiner.COUNT if many else draws.pick(_FOUND)
    found = noun_phrase(core, determiner, count=count)
    be = _be(found.plural)
    if chosen < 9:
        asks = f"{be} there {found.english} {place.english}"
        return Clause(asks, f"est-ce qu'il y a {found.french} {place.french}", True)
    states = f"there {be} {found.english} {place.english}"
    return Clause(states, f"il y a {found.french} {place.french}")


def _be(plural: bool) -> str:
    return "are" if plural else "is"


def identity(draws: Draws) -> Clause:
    """Somebody, asked for: "who reads the old book"."""
    verb = draws.pick(TRANSITIVE)
    made = clause(WHO, verb, Mood.STATES, draw_object(draws, verb, denied=False))
    return made._replace(asks=True)


def amount(draws: Draws) -> Clause:
    """A number in words: a sum, a price, an age, a weight, a population."""
    chosen = draws.below(5)
    if chosen == 0:
        total = draws.pick(_TOTALS)
        number = draws.below(100) if draws.chance(30) else draw_number(draws)
        subject = Subject(*total, Person.HE)
        return clause(subject, BE, Mood.STATES, _number(number))
    if chosen == 1:
        words = _counted(draw_number(draws), Words("euros", "euros"))
        return clause(draw_subject(draws, _THINGS), COST, draw_mood(draws), words)
    if chosen == 2:
        return _age(draws)
    if chosen == 3:
        words = _counted(draw_number(draws), Words("kilos", "kilos"))
        return clause(draw_subject(draws, _ANIMALS), WEIGH, draw_mood(draws), words)
    number, place = draw_number(draws), draw_definite(draws, PLACES)
    people = Subject(
        f"{english_number(number)} people",
        f"{french_number(number, feminine=True)} personnes",
        Person.THEY,
    )
    return clause(people, LIVE, Mood.STATES, Words(f"in {place.english}", f"dans {place.french}"))


def _age(draws: Draws) -> Clause:
    # English is an age, French has it.
    subject, mood = draw_subject(draws, PERSONS, agrees=True), draw_mood(draws)
    mood = Mood.DENIES if mood is Mood.NEVER else mood
    years = _counted(2 + draws.below(98), Words("years old", "ans"))
    return Clause(
        clause(subject, BE, mood, years).english,
        clause(subject, HAVE, mood, years).french,
        mood is Mood.ASKS,
    )


def _number(number: int) -> Words:
    return Words(english_number(number), french_number(number))


def _counted(number: int, noun: Words) -> Words:
    words = _number(number)
    return Words(f"{words.english} {noun.english}", f"{words.french} {noun.french}")


def noun_alone(draws: Draws) -> Clause:
    """A noun phrase alone: "the red cat", "le chat rouge"."""
    core = draw_core(draws, _THINGS + LIVING + PLACES)
    determiner = draws.pick((Determiner.THE, Determiner.A, Determiner.MY, Determiner.THIS))
    phrase = noun_phrase(core, determiner, plural=draws.chance(30))
    return Clause(phrase.english, phrase.french)
