"""Character generation: a language model that writes text one character at a time."""

from seqforge_tasks.char_generation.data import TextFile as TextFile
from seqforge_tasks.char_generation.dataset import TextDataset as TextDataset
from seqforge_tasks.char_generation.options import GenerationOptions as GenerationOptions
from seqforge_tasks.char_generation.scoring import Score as Score
from seqforge_tasks.char_generation.task import CharGeneration as CharGeneration

__all__ = ["CharGeneration", "GenerationOptions", "Score", "TextDataset", "TextFile"]
