"""Translation: an encoder-decoder with attention, and the sentence pairs that it learns from."""

from seqforge_tasks.translation.parallel.english_french import EnglishFrench as EnglishFrench
from seqforge_tasks.translation.parallel.parallel_dataset import ParallelDataset as ParallelDataset
from seqforge_tasks.translation.parallel.parallel_text import ParallelText as ParallelText
from seqforge_tasks.translation.search_options import TranslationOptions as TranslationOptions
from seqforge_tasks.translation.task import Translation as Translation
from seqforge_tasks.translation.translator import Candidate as Candidate
from seqforge_tasks.translation.translator import Translator as Translator

__all__ = [
    "Candidate",
    "EnglishFrench",
    "ParallelDataset",
    "ParallelText",
    "Translation",
    "TranslationOptions",
    "Translator",
]
