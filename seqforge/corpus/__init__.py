"""Corpora: long texts from files or data sets, encoded once and mapped into memory."""

from seqforge.corpus.cache import cache_folder as cache_folder
from seqforge.corpus.cache import open_corpus as open_corpus
from seqforge.corpus.corpus import Corpus as Corpus
from seqforge.corpus.corpus_data import CorpusData as CorpusData
from seqforge.corpus.dataset_opening import explained as explained
from seqforge.corpus.dataset_opening import open_dataset as open_dataset
from seqforge.corpus.dataset_opening import require_named as require_named
from seqforge.corpus.dataset_rows import DatasetRows as DatasetRows
from seqforge.corpus.documents import DocumentStarts as DocumentStarts
from seqforge.corpus.paths import find_files as find_files
from seqforge.corpus.plain_text import read_lines as read_lines
from seqforge.corpus.source import TextPiece as TextPiece
from seqforge.corpus.source import TextSource as TextSource
from seqforge.corpus.tables import read_objects as read_objects
from seqforge.corpus.text_files import TextFiles as TextFiles
from seqforge.corpus.tokens import CorpusTokens as CorpusTokens
from seqforge.corpus.vocabulary_cache import kept_vocabulary as kept_vocabulary

__all__ = [
    "Corpus",
    "CorpusData",
    "CorpusTokens",
    "DatasetRows",
    "DocumentStarts",
    "TextFiles",
    "TextPiece",
    "TextSource",
    "cache_folder",
    "explained",
    "find_files",
    "kept_vocabulary",
    "open_corpus",
    "open_dataset",
    "read_lines",
    "read_objects",
    "require_named",
]
