"""Text: vocabularies and reading."""

from seqforge.text.byte_vocabulary import ByteVocabulary as ByteVocabulary
from seqforge.text.character_vocabulary import UNKNOWN as UNKNOWN
from seqforge.text.character_vocabulary import CharacterVocabulary as CharacterVocabulary
from seqforge.text.packed import PackedNumbers as PackedNumbers
from seqforge.text.packed import PackedTexts as PackedTexts
from seqforge.text.preparation import Preparation as Preparation
from seqforge.text.sentence_vocabulary import SentenceVocabulary as SentenceVocabulary
from seqforge.text.sources import STDIN as STDIN
from seqforge.text.sources import read_sources as read_sources
from seqforge.text.subword_training import train_subwords as train_subwords
from seqforge.text.subword_vocabulary import SubwordVocabulary as SubwordVocabulary
from seqforge.text.vocabularies import (
    sentence_vocabulary_from_spec as sentence_vocabulary_from_spec,
)
from seqforge.text.vocabularies import vocabulary_from_spec as vocabulary_from_spec
from seqforge.text.vocabulary import Decoder as Decoder
from seqforge.text.vocabulary import Vocabulary as Vocabulary
from seqforge.text.word_vocabulary import WordVocabulary as WordVocabulary
from seqforge.text.word_vocabulary import train_words as train_words

__all__ = [
    "STDIN",
    "UNKNOWN",
    "ByteVocabulary",
    "CharacterVocabulary",
    "Decoder",
    "PackedNumbers",
    "PackedTexts",
    "Preparation",
    "SentenceVocabulary",
    "SubwordVocabulary",
    "Vocabulary",
    "WordVocabulary",
    "read_sources",
    "sentence_vocabulary_from_spec",
    "train_subwords",
    "train_words",
    "vocabulary_from_spec",
]
