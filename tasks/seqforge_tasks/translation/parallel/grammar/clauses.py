"""A subject, a verb and what follows it: agreement, negation and questions in both languages."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, NamedTuple

from seqforge_tasks.translation.parallel.grammar.noun_phrases import Phrase
from seqforge_tasks.translation.parallel.grammar.orthography import elided
from seqforge_tasks.translation.parallel.grammar.verbs import BE, Verb


class Mood(Enum):
    """What a clause does."""

    STATES = auto()
    DENIES = auto()
    """ "does not", "ne … pas"."""
    NEVER = auto()
    """ "never", "ne … jamais"."""
    ASKS = auto()

    @property
    def denies(self) -> bool:
        """Whether the object loses its article in French."""
        return self in (Mood.DENIES, Mood.NEVER)


class Person(Enum):
    """Who a subject is; the value is the place of its French verb form."""

    I = 0  # noqa: E741 - it is the person's name
    HE = 1
    WE = 2
    THEY = 3


class Subject(NamedTuple):
    """A subject in both languages.

    Attributes:
        english: Its words.
        french: Its words.
        person: Who it is.
        feminine: Its gender in French, where the person has one.
    """

    english: str
    french: str
    person: Person
    feminine: bool = False

    @property
    def plural(self) -> bool:
        """Whether it is more than one."""
        return self.person in (Person.WE, Person.THEY)


class Words(NamedTuple):
    """The same words in both languages; empty ones are left out."""

    english: str = ""
    french: str = ""


class Clause(NamedTuple):
    """A clause in both languages, without capital and final sign.

    Attributes:
        english: Its words.
        french: Its words.
        asks: It is a question.
    """

    english: str
    french: str
    asks: bool = False


NOTHING: Final = Words()
"""No words."""

_BE: Final = {Person.I: "am", Person.HE: "is", Person.WE: "are", Person.THEY: "are"}
_NEGATIONS: Final = {Mood.DENIES: "pas", Mood.NEVER: "jamais"}


def subject_of(phrase: Phrase) -> Subject:
    """Return a noun phrase as a subject."""
    person = Person.THEY if phrase.plural else Person.HE
    return Subject(phrase.english, phrase.french, person, phrase.feminine)


def clause(
    subject: Subject,
    verb: Verb,
    mood: Mood,
    complement: Words = NOTHING,
    adverb: Words = NOTHING,
) -> Clause:
    """Return a clause.

    Args:
        subject: Who does it.
        verb: What is done.
        mood: Whether it is stated, denied or asked.
        complement: What follows the verb, the object already as a negation wants it.
        adverb: Such as "often": before the verb in English, behind it in French.
    """
    if verb is BE:
        english = _english_be(subject, mood, adverb.english, complement.english)
    else:
        english = _english(subject, verb, mood, adverb.english, complement.english)
    return Clause(
        " ".join(filter(None, english)),
        " ".join(
            filter(None, [french_words(subject, verb, mood), adverb.french, complement.french])
        ),
        mood is Mood.ASKS,
    )


def french_words(subject: Subject, verb: Verb, mood: Mood) -> str:
    """Return subject and verb in French, with "est-ce que" or the negation about the verb."""
    words = verb.french[subject.person.value]
    if mood.denies:
        words = f"{elided('ne', words)} {_NEGATIONS[mood]}"
    alone = subject.french != "je"
    words = f"{subject.french} {words}" if alone else elided("je", words)
    return f"est-ce {elided('que', words)}" if mood is Mood.ASKS else words


def _english(
    subject: Subject, verb: Verb, mood: Mood, adverb: str, complement: str
) -> tuple[str, ...]:
    base, third = verb.english
    single = subject.person is Person.HE
    helper = "does" if single else "do"
    form = third if single else base
    if mood is Mood.DENIES:
        return subject.english, helper, "not", adverb, base, complement
    if mood is Mood.ASKS:
        return helper, subject.english, adverb, base, complement
    never = "never" if mood is Mood.NEVER else ""
    return subject.english, never, adverb, form, complement


def _english_be(subject: Subject, mood: Mood, adverb: str, complement: str) -> tuple[str, ...]:
    form = _BE[subject.person]
    if mood is Mood.ASKS:
        return form, subject.english, adverb, complement
    negation = {Mood.DENIES: "not", Mood.NEVER: "never"}.get(mood, "")
    return subject.english, form, negation, adverb, complement
