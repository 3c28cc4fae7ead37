"""What `decoding_speed.py` searches with: networks that were trained for a while, and sources."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor

from benchmarks.bare_trainer import bare_trainer
from benchmarks.captioning_material import (
    Material,
    banned,
    captioning,
    made_up_captions,
    made_up_features,
    read_captions,
)
from seqforge.attention import TokenStepper
from seqforge.decoding import Step
from seqforge.encoders import LSTM, EncoderFactory
from seqforge.state import State
from seqforge.training import Constant, SequenceModule
from seqforge_tasks.captioning.captioner import ROOM
from seqforge_tasks.captioning.seen import Seen
from seqforge_tasks.captioning.task import Captioning
from seqforge_tasks.translation import EnglishFrench, ParallelText, Translation
from seqforge_tasks.translation.parallel.pair_data import PairData
from seqforge_tasks.translation.stepping import NetworkStepper

GRID, FEATURES = (5, 5), 1280
"""Of EfficientNet-Lite0 at 160 pixels."""

PHOTOS = 2000
"""With five captions each."""


class Begun(NamedTuple):
    """Sources that a network has read.

    Attributes:
        first: The token that each target begins with `(B,)`.
        state: The state before it.
        maxima: Tokens that each target may have `(B,)`.
    """

    first: Tensor
    state: State
    maxima: Tensor


@dataclass(frozen=True)
class Job:
    """Sources to be searched for.

    Attributes:
        name: Of the task.
        width: Of the beam.
        count: Sources; those that are short come first.
        step: The network.
        begin: Reads some of them, by number.
        start: The token that targets begin with.
        end: The token that ends them.
        banned: Tokens that are never written.
    """

    name: str
    width: int
    count: int
    step: Step
    begin: Callable[[Sequence[int]], Begun]
    start: int
    end: int
    banned: tuple[int, ...]


@dataclass(frozen=True)
class Workshop:
    """Where networks are trained and kept.

    Attributes:
        folder: Vocabularies and weights go there; what is there is taken.
        size: Of the LSTMs.
        seconds: How long each is trained.
        count: Sources of a job.
    """

    folder: Path
    size: int
    seconds: int
    count: int

    def translation(self) -> Job:
        """Return sentences of Multi30k for a network of the default sizes, and a beam of 5."""
        data, sentences = _pairs(self.folder / "cache")
        data.prepare_data()
        data.setup("fit")
        task = Translation()
        self._train("translation", task, data)
        network, vocabulary = task.network, task.translator.target.vocabulary
        sources = task.translator.source.encode_all(sentences[: self.count])
        sources.sort(key=len)
        stepper = NetworkStepper(network)

        def begin(numbers: Sequence[int]) -> Begun:
            chosen = [torch.tensor([*sources[each], vocabulary.end]) for each in numbers]
            lengths = torch.tensor([len(each) for each in chosen])
            source = torch.nn.utils.rnn.pad_sequence(chosen, True, vocabulary.padding)
            state = stepper.begin(source, lengths)
            # As `Translator` allows, unless told otherwise.
            return Begun(torch.full_like(lengths, vocabulary.begin), state, 2 * lengths + 10)

        never = (vocabulary.padding, vocabulary.begin)
        return Job(
            "translation", 5, len(sources), stepper, begin, vocabulary.begin, vocabulary.end, never
        )

    def captioning(self) -> Job:
        """Return made-up pictures for a network of the default sizes, and a beam of 3."""
        file = data_folder() / "flickr8k" / "captions.jsonl.gz"
        captions = read_captions(file, PHOTOS) if file.is_file() else made_up_captions(PHOTOS)
        features = made_up_features(len(captions), GRID, FEATURES)
        material = Material(captions, features, 64, self.folder)
        task = captioning(GRID, FEATURES, 0.3)
        self._train("captioning", task, material.data())
        return _pictures(task, material, self.count)

    def _train(
        self, name: str, task: Translation | Captioning, data: pl.LightningDataModule
    ) -> None:
        """Train a task, or give it the weights that are there already."""
        encoder = partial(LSTM, hidden_size=self.size)
        file = self.folder / f"{name}.pt"
        if file.is_file():
            task.build(EncoderFactory(encoder), data.spec())  # type: ignore[attr-defined]
            task.load_state_dict(torch.load(file))
        else:
            pl.seed_everything(0, verbose=False)
            trainer = bare_trainer("bf16-mixed", seconds=self.seconds)
            module = SequenceModule(task, encoder, schedule=Constant)
            trainer.fit(module, datamodule=data)
            torch.save(task.state_dict(), file)
        task.eval()


def _pictures(task: Captioning, material: Material, count: int) -> Job:
    """Return the job of captioning the first pictures."""
    network, vocabulary = task.network, task.vocabulary
    features = material.regions(range(count))
    stepper = TokenStepper(network.decoder, network.embedding, network.head, network.never_written)
    longest = task.longest + ROOM

    def begin(numbers: Sequence[int]) -> Begun:
        state = stepper.begin(network.look(Seen(features[list(numbers)])))
        first = torch.full((len(numbers),), vocabulary.begin)
        return Begun(first, state, torch.full_like(first, longest))

    never = (*network.never_written, *banned(vocabulary))
    return Job("captioning", 3, count, stepper, begin, vocabulary.begin, vocabulary.end, never)


def data_folder() -> Path:
    """Return the folder of the real data, which need not be there."""
    return Path(os.environ.get("SEQFORGE_DATA", "data"))


def _pairs(cache: Path) -> tuple[PairData, list[str]]:
    """Return what is learnt from, and sentences to translate: real ones if they are there."""
    folder = data_folder() / "multi30k"
    if folder.is_dir():
        with gzip.open(folder / "val.en.gz", "rt", encoding="utf-8") as lines:
            sentences = [line.rstrip("\n") for line in lines]
        place = str(folder)
        real = ParallelText(place, "en", "fr", lowercase=True, max_tokens=2048, cache=str(cache))
        return real, sentences
    data = EnglishFrench(pairs=2000, validation_pairs=200, vocabulary_size=300, cache=str(cache))
    return data, [pair.source for pair in data.part("validation").pairs()]
