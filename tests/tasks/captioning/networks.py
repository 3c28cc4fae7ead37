"""Small networks, and batches for them, for tests of captioning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from seqforge.encoders import LSTM, Encoder, EncoderFactory
from seqforge.task import Progress
from seqforge.text import WordVocabulary
from seqforge.vision import FrameSampling, ImageEncoder, SmallCNN
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.task import Captioning

WORDS = tuple("abcdefgh")
FIRST = 4
"""The number of the first word: the marks stand before it."""
SIDE = 16
REGIONS = 16
START = Progress(0, 0, 0.0)
CLIPS = FrameSampling(6)


class Normalised(ImageEncoder):
    """Stands for a pretrained network: it has batch normalisation, and loads weights of ones."""

    pretrained: bool = True

    def build(self, size: int) -> None:
        self.convolution = nn.Conv2d(3, 6, 4, stride=4)
        self.norm = nn.BatchNorm2d(6)
        self.drop = nn.Dropout(0.5)
        self.grid, self.feature_size = (size // 4, size // 4), 6
        self.train(self.training)

    def initialise(self) -> None:
        nn.init.ones_(self.norm.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        values = self.convolution(pictures.to(self.convolution.weight.dtype) / 128 - 1)
        features: Tensor = self.drop(self.norm(values)).flatten(2).transpose(1, 2)
        return features


class Summarising(Normalised):
    """Has weights that its features do not depend on, which it lets rest, as a pooler's."""

    def build(self, size: int) -> None:
        super().build(size)
        self.pooler = nn.Linear(6, 6).requires_grad_(False)


def spec(longest: int = 8, fit: str = "crop", clips: FrameSampling | None = None) -> dict[str, Any]:
    """Return the spec of data with eight words for a vocabulary."""
    transform = {"size": SIDE, "fit": fit}
    made = {
        "vocabulary": WordVocabulary(WORDS).spec(),
        "transform": transform,
        "longest": longest,
    }
    return made if clips is None else made | {"frames": clips.spec()}


def task(
    image: ImageEncoder | None = None,
    *,
    encoder: Callable[..., Encoder] = LSTM,
    hidden_size: int = 16,
    sharp: float = 2.0,
    clips: FrameSampling | None = None,
    **options: Any,
) -> Captioning:
    """Return a built task with random weights in float64, in evaluation mode.

    Args:
        image: The image encoder; None: a small one for pictures of 16 pixels, with 4 x 4 regions.
        encoder: The class of its decoder.
        hidden_size: Its units.
        sharp: Factor on all weights: far from uniform, so that mistakes show.
        clips: Which frames are taken of clips; None: it captions pictures.
        options: Arguments of the task.
    """
    torch.manual_seed(0)
    made = Captioning(
        image or SmallCNN(channels=(4, 8)),
        **{
            "embedding_size": 5,
            "region_size": 7,
            "dropout": 0.0,
            "label_smoothing": 0.0,
            **options,
        },
    )
    made.build(EncoderFactory(partial(encoder, hidden_size=hidden_size), {}), spec(clips=clips))
    for parameter in made.parameters():
        parameter.data.mul_(sharp)
    return made.double().eval()


def pictures(count: int, seed: int = 0) -> Tensor:
    """Return random pictures, always the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, SIDE, SIDE), generator=generator, dtype=torch.uint8)


def batch(
    captions: Sequence[Sequence[int]],
    *,
    places: Sequence[int] | None = None,
    photos: Tensor | None = None,
    padding: int = 0,
    ids: Sequence[int] | None = None,
    evaluated: bool = False,
) -> CaptionBatch:
    """Return captions, numbers of words, as a batch.

    Args:
        captions: The captions, a row each.
        places: The picture of each; None: a picture for each.
        photos: The pictures; None: random ones.
        padding: Columns that are added.
        ids: Sample numbers.
        evaluated: Whether it is one of validation, with references.
    """
    lengths = torch.tensor([len(each) + 1 for each in captions])
    inputs = torch.zeros(len(captions), int(lengths.max()) + padding, dtype=torch.int64)
    targets = torch.zeros_like(inputs)
    for row, each in enumerate(captions):
        inputs[row, : len(each) + 1] = torch.tensor([2, *each])
        targets[row, : len(each) + 1] = torch.tensor([*each, 3])
    owners = list(range(len(captions))) if places is None else list(places)
    return CaptionBatch(
        ids=torch.arange(len(captions)) if ids is None else torch.tensor(ids),
        pictures=pictures(max(owners) + 1) if photos is None else photos,
        features=None,
        places=torch.tensor(owners),
        inputs=inputs,
        targets=targets,
        lengths=lengths,
        names=tuple(f"{owner}.png" for owner in owners),
        references=tuple((text(each), "b c d") for each in captions) if evaluated else (),
    )


def text(numbers: Sequence[int]) -> str:
    """Return the words of numbers."""
    return " ".join(WORDS[number - FIRST] for number in numbers)


def sentences(count: int, shortest: int = 1, longest: int = 6, seed: int = 0) -> list[list[int]]:
    """Return random captions, always the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int, size: int) -> list[int]:
        return torch.randint(low, high, (size,), generator=generator).tolist()

    lengths = draw(shortest, longest + 1, count)
    return [draw(FIRST, FIRST + len(WORDS), length) for length in lengths]


def fit(
    made: Captioning, draw: Callable[[int], CaptionBatch], steps: int, rate: float = 0.01
) -> float:
    """Train for some steps in float32; return the mean loss of words in nats of the last ten."""
    made.float().train()
    optimizer = torch.optim.Adam((each for each in made.parameters() if each.requires_grad), rate)
    losses = []
    for step in range(steps):
        terms = made.loss(draw(step), None, Progress(0, step, step / steps)).terms
        loss = torch.stack([each.weight * each.total / each.count for each in terms.values()]).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(made.parameters(), 1.0)
        optimizer.step()
        first = next(iter(terms.values()))
        losses.append((first.total / first.count).item())
    made.eval()
    return sum(losses[-10:]) / 10
