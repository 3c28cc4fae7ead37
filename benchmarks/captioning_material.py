"""What `captioning_speed.py` times: captions, features, and the same network twice."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from benchmarks.peers.captioning_tutorial import Sizes, TutorialCaptioner
from seqforge.encoders import LSTM, EncoderFactory
from seqforge.text import SentenceVocabulary, sentence_vocabulary_from_spec
from seqforge.vision import ImageEncoder
from seqforge_tasks.captioning.photos.caption_data import CaptionData
from seqforge_tasks.captioning.photos.caption_text import prepared
from seqforge_tasks.captioning.photos.options import CaptionOptions
from seqforge_tasks.captioning.photos.photos import Part, Photos
from seqforge_tasks.captioning.task import Captioning

Captions = Sequence[tuple[str, ...]]


class RegionSource(ImageEncoder):
    """Stands where an image encoder would: features come from elsewhere.

    Args:
        grid: Rows and columns of regions.
        feature_size: `C`.
    """

    def __init__(self, grid: tuple[int, int], feature_size: int) -> None:
        super().__init__()
        self.grid = grid
        self.feature_size = feature_size

    def build(self, size: int) -> None:
        """Make nothing."""

    def forward(self, pictures: Tensor) -> Tensor:
        """Refuse pictures."""
        raise NotImplementedError("features are made up; there are no pictures")


class CaptionsAlone:
    """Photos of which only the captions are known.

    Args:
        captions: Of each photo.
    """

    def __init__(self, captions: Captions) -> None:
        self.captions = captions
        self.names = [f"{number}.jpg" for number in range(len(captions))]
        self.keys = self.names
        self.frames = None

    def __len__(self) -> int:
        return len(self.captions)

    def picture(self, number: int) -> Tensor:
        """Refuse pictures."""
        raise NotImplementedError("features are made up; there are no pictures")


class BenchmarkCaptions(CaptionData):
    """Captions whose pictures are never asked for.

    Args:
        captions: Of each photo.
        batch_size: Captions of a batch.
        folder: For the vocabulary.
    """

    def __init__(self, captions: Captions, batch_size: int, folder: Path) -> None:
        super().__init__(CaptionOptions(batch_size, min_count=5), seed=0, cache=str(folder))
        self.all = CaptionsAlone(captions)

    def photos(self, part: Part) -> Photos:
        """Return all photos, whatever the part."""
        return self.all


def made_up_captions(photos: int, words: int = 2500) -> Captions:
    """Return five captions of each photo, as long as those of Flickr8k and as often alike.

    Lengths are those of a rounded gamma distribution with Flickr8k's mean and deviation, 10.8 and
    3.7 words; words come as often as Zipf says, each depending on the one before.
    """
    generator = np.random.default_rng(0)
    vocabulary = [f"w{''.join(chr(97 + int(digit)) for digit in str(n))}" for n in range(words)]
    chances = 1.0 / np.arange(1, words + 1)
    chances /= chances.sum()
    lengths = np.clip(np.rint(generator.gamma(8.3, 1.3, 5 * photos)), 2, 35).astype(int)
    captions = []
    for length in lengths:
        ranks = generator.choice(words, length, p=chances)
        # Of the words that may follow one, the commonest is the same each time.
        follows = np.concatenate([[0], ranks[:-1] * 7 % words])
        chosen = np.where(generator.random(length) < 0.6, follows, ranks)
        captions.append(" ".join(vocabulary[each] for each in chosen))
    return [tuple(captions[5 * photo : 5 * photo + 5]) for photo in range(photos)]


def read_captions(file: Path, photos: int) -> Captions:
    """Return the captions of the first training photos of a `captions.jsonl.gz`."""
    found: list[tuple[str, ...]] = []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["split"] == "train" and len(found) < photos:
                found.append(tuple(row["captions"]))
    return found


class Row(NamedTuple):
    """A caption as numbers, and its photo."""

    photo: int
    tokens: Tensor


@dataclass(frozen=True)
class Material:
    """Everything that both sides are given.

    Attributes:
        captions: Of each photo.
        features: `(N, P, C)` float16, of each photo.
        batch_size: Captions in a step.
        folder: Files go there.
    """

    captions: Captions
    features: NDArray[np.float16]
    batch_size: int
    folder: Path

    def data(self) -> BenchmarkCaptions:
        """Return the data module, set up, its batches with features."""
        data = BenchmarkCaptions(self.captions, self.batch_size, self.folder)
        data.prepare_data()
        data.setup("fit")
        data.serve_features(self.features)
        return data

    def rows(self, vocabulary: SentenceVocabulary) -> list[Row]:
        """Return all captions as the tutorial's loop reads them."""
        pairs = [(photo, text) for photo, texts in enumerate(self.captions) for text in texts]
        encoded = vocabulary.encode_all([prepared(text) for _, text in pairs])
        return [
            Row(photo, torch.tensor(tokens))
            for (photo, _), tokens in zip(pairs, encoded, strict=True)
            if 0 < len(tokens) <= CaptionOptions().max_length
        ]

    def regions(self, numbers: Sequence[int]) -> Tensor:
        """Return the features of photos, `(B, P, C)` float32."""
        return torch.from_numpy(self.features[list(numbers)]).float()


class PaddedBatch(NamedTuple):
    """A batch of the tutorial: a copy of the picture's regions for each caption.

    Attributes:
        features: `(B, P, C)`.
        inputs: `(B, T)`, begin mark and caption, padded.
        targets: `(B, T)`, caption and end mark, padded.
        lengths: `(B,)`.
    """

    features: Tensor
    inputs: Tensor
    targets: Tensor
    lengths: Tensor


def shuffled(material: Material, vocabulary: SentenceVocabulary) -> Iterator[PaddedBatch]:
    """Yield batches of captions in random order, pass after pass."""
    rows = material.rows(vocabulary)
    size, generator = material.batch_size, torch.Generator().manual_seed(0)
    while True:
        order = torch.randperm(len(rows), generator=generator).tolist()
        for first in range(0, len(order) - size + 1, size):
            yield padded([rows[each] for each in order[first : first + size]], material, vocabulary)


def padded(rows: Sequence[Row], material: Material, vocabulary: SentenceVocabulary) -> PaddedBatch:
    """Return a batch of captions, padded to the longest."""
    lengths = torch.tensor([len(row.tokens) + 1 for row in rows])
    inputs = torch.full((len(rows), int(lengths.max())), vocabulary.padding)
    targets = inputs.clone()
    inputs[:, 0] = vocabulary.begin
    for number, row in enumerate(rows):
        length = len(row.tokens)
        inputs[number, 1 : length + 1] = targets[number, :length] = row.tokens
        targets[number, length] = vocabulary.end
    features = material.regions([row.photo for row in rows])
    return PaddedBatch(features, inputs, targets, lengths)


def made_up_features(photos: int, grid: tuple[int, int], size: int) -> NDArray[np.float16]:
    """Return features `(N, P, C)`: of a few values at a time, none negative, as after ReLU."""
    generator = np.random.default_rng(1)
    drawn = generator.standard_normal((photos, grid[0] * grid[1], size), dtype=np.float32)
    return np.maximum(drawn, 0.0).astype(np.float16)


def captioning(grid: tuple[int, int], feature_size: int, dropout: float) -> Captioning:
    """Return the task with its usual sizes, whose loss is the tutorial's: nothing is smoothed."""
    return Captioning(RegionSource(grid, feature_size), dropout=dropout, label_smoothing=0.0)


def encoder(hidden: int) -> partial[LSTM]:
    """Return what makes the decoder."""
    return partial(LSTM, hidden_size=hidden)


def built(task: Captioning, data: CaptionData, hidden: int) -> Captioning:
    """Make the task's network, its weights the same each time."""
    torch.manual_seed(0)
    task.build(EncoderFactory(encoder(hidden)), data.spec())
    return task


def counterparts(model: TutorialCaptioner, task: Captioning) -> dict[str, tuple[Tensor, Tensor]]:
    """Return the tutorial's parameters, each with ours of the same meaning, by its name there."""
    names = {
        "project.0": "project.0",
        "project.1": "project.1",
        "embedding": "embedding",
        "init_h": "decoder.reader_bridge.maps.0",
        "init_c": "decoder.reader_bridge.maps.1",
        "attention.encoder_attention": "decoder.attention.key",
        "attention.decoder_attention": "decoder.attention.query",
        "attention.full_attention": "decoder.attention.energy",
        "f_beta": "decoder.gate",
        "combine": "decoder.combine",
    }
    ours = dict(task.network.named_parameters())
    pairs = {"fc.bias": (model.fc.bias, ours["head.bias"])}
    for their, our in names.items():
        for kind, parameter in model.get_submodule(their).named_parameters():
            pairs[f"{their}.{kind}"] = (parameter, ours[f"{our}.{kind}"])
    for kind, parameter in model.decode_step.named_parameters():
        our = f"decoder.reader.layers.0.rnn.{kind}_l0"
        pairs[f"decode_step.{kind}"] = (parameter, ours[our])
    return pairs


def tutorial_of(task: Captioning, dropout: float, keys_once: bool = False) -> TutorialCaptioner:
    """Return the tutorial's network with the weights of ours."""
    network = task.network
    sizes = Sizes(
        features=network.image.feature_size,
        regions=network.decoder.attention.value_size,
        hidden=network.decoder.reader.output_size,
        words=network.embedding.num_embeddings,
        embedding=network.embedding.embedding_dim,
    )
    model = TutorialCaptioner(sizes, dropout, keys_once)
    with torch.no_grad():
        for theirs, ours in counterparts(model, task).values():
            theirs.copy_(ours)
        # Never written: the bias stays so low, as its gradient is zero.
        model.fc.bias[list(network.never_written)] = -1e30
    return model


def known_words(data: CaptionData) -> SentenceVocabulary:
    """Return the vocabulary of data that are set up."""
    return sentence_vocabulary_from_spec(data.spec()["vocabulary"])


def banned(vocabulary: SentenceVocabulary) -> list[int]:
    """Return the words that ours never writes though they were learnt: the unknown one."""
    return [] if vocabulary.unknown is None else [vocabulary.unknown]


def made_up_jpeg(number: int, size: int) -> bytes:
    """Return a JPEG file of `size` times `size` pixels, about as large as that of a photo."""
    generator = np.random.default_rng(number)
    coarse = generator.integers(0, 256, (size // 8, size // 8, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
    grain = generator.integers(-8, 9, (size, size, 3))
    pixels = np.clip(np.asarray(picture).astype(int) + grain, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
