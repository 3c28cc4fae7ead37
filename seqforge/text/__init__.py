"""Text: vocabularies, reading, and corpora that are encoded once."""

from seqforge.text.byte_vocabulary import ByteVocabulary as ByteVocabulary
from seqforge.text.character_vocabulary import UNKNOWN as UNKNOWN
from seqforge.text.character_vocabulary import CharacterVocabulary as CharacterVocabulary
from seqforge.text.corpus import Corpus as Corpus
from seqforge.text.corpus_cache import open_corpus as open_corpus
from seqforge.text.corpus_data import CorpusData as CorpusData
from seqforge.text.corpus_documents import DocumentStarts as DocumentStarts
from seqforge.text.corpus_tokens import CorpusTokens as CorpusTokens
from seqforge.text.dataset_rows import DatasetRows as DatasetRows
from seqforge.text.sources import STDIN as STDIN
from seqforge.text.sources import read_sources as read_sources
from seqforge.text.text_files import TextFiles as TextFiles
from seqforge.text.text_paths import find_files as find_files
from seqforge.text.text_source import Piece as Piece
from seqforge.text.text_source import TextSource as TextSource
from seqforge.text.vocabularies import vocabulary_from_spec as vocabulary_from_spec
from seqforge.text.vocabulary import Decoder as Decoder
from seqforge.text.vocabulary import Vocabulary as Vocabulary

__all__ = [
    "STDIN",
    "UNKNOWN",
    "ByteVocabulary",
    "CharacterVocabulary",
    "Corpus",
    "CorpusData",
    "CorpusTokens",
    "DatasetRows",
    "Decoder",
    "DocumentStarts",
    "Piece",
    "TextFiles",
    "TextSource",
    "Vocabulary",
    "find_files",
    "open_corpus",
    "read_sources",
    "vocabulary_from_spec",
]
