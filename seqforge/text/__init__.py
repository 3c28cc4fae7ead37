"""Text: vocabularies and reading."""

from seqforge.text.sources import STDIN as STDIN
from seqforge.text.sources import read_sources as read_sources
from seqforge.text.vocabulary import UNKNOWN as UNKNOWN
from seqforge.text.vocabulary import CharacterVocabulary as CharacterVocabulary

__all__ = ["STDIN", "UNKNOWN", "CharacterVocabulary", "read_sources"]
