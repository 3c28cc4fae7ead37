"""Parallel text: sentence pairs from files, data sets or a grammar, on their way to batches."""

from seqforge_tasks.translation.parallel.batch import TranslationBatch as TranslationBatch
from seqforge_tasks.translation.parallel.english_french import EnglishFrench as EnglishFrench
from seqforge_tasks.translation.parallel.parallel_dataset import ParallelDataset as ParallelDataset
from seqforge_tasks.translation.parallel.parallel_text import ParallelText as ParallelText
from seqforge_tasks.translation.parallel.sides import Side as Side
from seqforge_tasks.translation.parallel.sides import sides_from_spec as sides_from_spec

__all__ = [
    "EnglishFrench",
    "ParallelDataset",
    "ParallelText",
    "Side",
    "TranslationBatch",
    "sides_from_spec",
]
