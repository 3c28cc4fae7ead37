"""An English-French grammar: unlimited sentence pairs from a seed, with nothing to download."""

from seqforge_tasks.translation.parallel.grammar.numbers import LARGEST as LARGEST
from seqforge_tasks.translation.parallel.grammar.numbers import english_number as english_number
from seqforge_tasks.translation.parallel.grammar.numbers import french_number as french_number
from seqforge_tasks.translation.parallel.grammar.parts import PARTS as PARTS
from seqforge_tasks.translation.parallel.grammar.parts import (
    EnglishFrenchPairs as EnglishFrenchPairs,
)
from seqforge_tasks.translation.parallel.grammar.parts import Part as Part
from seqforge_tasks.translation.parallel.grammar.parts import part_of as part_of
from seqforge_tasks.translation.parallel.grammar.sentences import LONGEST as LONGEST
from seqforge_tasks.translation.parallel.grammar.sentences import SHORTEST as SHORTEST
from seqforge_tasks.translation.parallel.grammar.sentences import sentence_pair as sentence_pair

__all__ = [
    "LARGEST",
    "LONGEST",
    "PARTS",
    "SHORTEST",
    "EnglishFrenchPairs",
    "Part",
    "english_number",
    "french_number",
    "part_of",
    "sentence_pair",
]
