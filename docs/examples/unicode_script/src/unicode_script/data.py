"""Names of letters without the word that gives their script away."""

import sys
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from seqforge import Batch, DataModule
from seqforge.data import PlanLoader, SequentialPlan, ShuffledPlan
from seqforge.text import CharacterVocabulary
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

# Not CJK: its names are numbers, "UNIFIED IDEOGRAPH-4E00", and there are 90,000 of them.
SCRIPTS = (
    *("ARABIC", "ARMENIAN", "CHEROKEE", "CYRILLIC", "DEVANAGARI", "ETHIOPIC"),
    *("GEORGIAN", "GREEK", "HANGUL", "HEBREW", "KATAKANA", "LATIN"),
)
MOST = 300  # names of one script: otherwise eight in ten would be Hangul syllables
Sample = tuple[Tensor, int]


@dataclass(kw_only=True)
class NameBatch(Batch):
    """Names `(B, T)`, padded on the right, their lengths `(B,)` and scripts `(B,)`."""

    tokens: Tensor
    lengths: Tensor
    scripts: Tensor


class UnicodeNames(DataModule):
    """The letters of twelve scripts, by name; equal names stay on one side of the split.

    Args:
        batch_size: Names in a batch, over all processes together.
        validation: Share of the names that is held out.
        most: Names of one script; the rest of them is left out.
    """

    def __init__(self, batch_size: int = 32, validation: float = 0.2, most: int = MOST) -> None:
        super().__init__(batch_size=batch_size)
        self.validation = validation
        self.most = most

    def setup(self, stage: str) -> None:
        """Read Python's own table of names."""
        rows = [
            (name, number)
            for number, names in enumerate(names_by_script().values())
            for name in sorted(names, key=_hash)[:: max(1, len(names) // self.most)][: self.most]
        ]
        self.vocabulary = CharacterVocabulary.of("".join(name for name, _ in rows))
        limit = self.validation * 2**32
        self.held_out = [self._sample(*row) for row in rows if _hash(row[0]) < limit]
        self.train = [self._sample(*row) for row in rows if _hash(row[0]) >= limit]

    def _sample(self, name: str, script: int) -> Sample:
        return torch.from_numpy(self.vocabulary.encode(name)), script

    def spec(self) -> dict[str, Any]:
        """Return what the task builds its network from."""
        return {"vocabulary": self.vocabulary.spec(), "scripts": list(SCRIPTS)}

    def train_dataloader(self) -> PlanLoader[Sample]:
        """Return the loader of the names to learn from."""
        plan = ShuffledPlan(len(self.train), self.batch_size, self.seed)
        return self.train_loader(self.train, plan, collate)

    def val_dataloader(self) -> dict[str, PlanLoader[Sample]]:
        """Return the loader of the names that are held out."""
        plan = SequentialPlan(len(self.held_out), self.batch_size)
        return {"held_out": self.eval_loader(self.held_out, plan, collate)}


def collate(numbers: Sequence[int], samples: list[Sample]) -> NameBatch:
    """Make a batch of samples and their numbers."""
    tokens, scripts = zip(*samples, strict=True)
    return NameBatch(
        ids=torch.tensor(numbers),
        tokens=pad_sequence(list(tokens), batch_first=True),
        lengths=torch.tensor([len(each) for each in tokens]),
        scripts=torch.tensor(scripts),
    )


def names_by_script() -> dict[str, set[str]]:
    """Collect the names of all letters, without the words that name a script."""
    names: dict[str, set[str]] = {script: set() for script in SCRIPTS}
    for character in map(chr, range(sys.maxunicode + 1)):
        script = unicodedata.name(character, "").partition(" ")[0]
        if script in names and unicodedata.category(character).startswith("L"):
            names[script].add(masked_name(character))
    return names


def masked_name(character: str) -> str:
    """Return a character's name without the words that name a script."""
    words = unicodedata.name(character, "").split()
    return " ".join(word for word in words if word not in SCRIPTS)


def _hash(name: str) -> int:
    return zlib.crc32(name.encode())
