"""Character generation: a language model that writes text one character at a time."""

from seqforge_tasks.char_generation.data import TextFile as TextFile
from seqforge_tasks.char_generation.task import CharGeneration as CharGeneration
from seqforge_tasks.char_generation.task import GenerationOptions as GenerationOptions

__all__ = ["CharGeneration", "GenerationOptions", "TextFile"]
