"""Corpora: long texts from files or data sets, encoded once and mapped into memory."""

from seqforge.corpus.cache import open_corpus as open_corpus
from seqforge.corpus.corpus import Corpus as Corpus
from seqforge.corpus.corpus_data import CorpusData as CorpusData
from seqforge.corpus.dataset_rows import DatasetRows as DatasetRows
from seqforge.corpus.documents import DocumentStarts as DocumentStarts
from seqforge.corpus.paths import find_files as find_files
from seqforge.corpus.source import TextPiece as TextPiece
from seqforge.corpus.source import TextSource as TextSource
from seqforge.corpus.text_files import TextFiles as TextFiles
from seqforge.corpus.tokens import CorpusTokens as CorpusTokens

__all__ = [
    "Corpus",
    "CorpusData",
    "CorpusTokens",
    "DatasetRows",
    "DocumentStarts",
    "TextFiles",
    "TextPiece",
    "TextSource",
    "find_files",
    "open_corpus",
]
