"""Text: vocabularies and reading."""

from seqforge.text.byte_vocabulary import ByteVocabulary as ByteVocabulary
from seqforge.text.character_vocabulary import UNKNOWN as UNKNOWN
from seqforge.text.character_vocabulary import CharacterVocabulary as CharacterVocabulary
from seqforge.text.sources import STDIN as STDIN
from seqforge.text.sources import read_sources as read_sources
from seqforge.text.vocabularies import vocabulary_from_spec as vocabulary_from_spec
from seqforge.text.vocabulary import Decoder as Decoder
from seqforge.text.vocabulary import Vocabulary as Vocabulary

__all__ = [
    "STDIN",
    "UNKNOWN",
    "ByteVocabulary",
    "CharacterVocabulary",
    "Decoder",
    "Vocabulary",
    "read_sources",
    "vocabulary_from_spec",
]
