"""Whether the tutorial's network is ours: the same loss, gradients and log-probabilities."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.captioning_material import (
    Material,
    PaddedBatch,
    Row,
    banned,
    counterparts,
    known_words,
    padded,
    shuffled,
)
from benchmarks.peers.captioning_tutorial import TutorialCaptioner, beam_search, caption_loss
from seqforge.task import Progress
from seqforge.training.exact_loss import LossSums, objective
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.photos.caption_data import CaptionData
from seqforge_tasks.captioning.search_options import CaptioningOptions
from seqforge_tasks.captioning.seen import Seen
from seqforge_tasks.captioning.task import Captioning

TOLERANCE = 1e-3
"""Differences that float32 may make: relative ones of losses and gradients, others in nats."""


class TrainingDifference(NamedTuple):
    """Relative differences of the loss and of all gradients together."""

    loss: float
    gradients: float


class SearchDifference(NamedTuple):
    """How two searches differ.

    Attributes:
        nats: The largest difference of the log-probabilities that both give to a caption, over all
            that were found.
        same: The share of pictures for which both found the same caption.
        shortfall: By how much the tutorial's captions are less likely, in nats, on average.
        words: Words of a caption of the tutorial and of one of ours, on average.
    """

    nats: float
    same: float
    shortfall: float
    words: tuple[float, float]


def own_batch(batch: PaddedBatch) -> CaptionBatch:
    """Return the tutorial's batch as ours."""
    numbers = torch.arange(len(batch.lengths))
    return CaptionBatch(
        ids=numbers,
        pictures=None,
        features=batch.features,
        places=numbers,
        inputs=batch.inputs,
        targets=batch.targets,
        lengths=batch.lengths,
    )


def training_difference(
    task: Captioning, model: TutorialCaptioner, batch: PaddedBatch
) -> TrainingDifference:
    """Compare both on a batch; neither may drop anything."""
    loss = task.train().loss(own_batch(batch), None, Progress(0, 0, 0.0))
    sums = LossSums()
    sums.add(loss.terms)
    means, count = sums.close()
    task.zero_grad()
    objective(loss.terms).backward()
    theirs = caption_loss(model.train(), *batch)
    model.zero_grad()
    theirs.backward()
    apart, whole = torch.zeros(()), torch.zeros(())
    for their, our in counterparts(model, task).values():
        assert their.grad is not None
        assert our.grad is not None
        apart += (our.grad / count - their.grad).square().sum()
        whole += their.grad.square().sum()
    gradients = (apart / whole).sqrt().item()
    return TrainingDifference(abs(means["loss"] / theirs.item() - 1.0), gradients)


@torch.no_grad()
def log_probs(task: Captioning, batch: PaddedBatch) -> Tensor:
    """Return what our network gives to each caption with its end mark, `(B,)` in nats."""
    network = task.eval().network
    begun = network.look(Seen(batch.features))
    decoded = network.decode(batch.inputs, begun, batch.lengths)
    return _sums(network.head(decoded.features) + network.never, batch)


@torch.no_grad()
def tutorial_log_probs(model: TutorialCaptioner, batch: PaddedBatch) -> Tensor:
    """Return what the tutorial's network gives to each caption, `(B,)` in nats."""
    lengths, order = batch.lengths.sort(descending=True)
    scores, _ = model.eval()(batch.features[order], batch.inputs[order], lengths.tolist())
    return _sums(scores[order.argsort()], batch)


def search_difference(
    task: Captioning, model: TutorialCaptioner, material: Material, pictures: int
) -> SearchDifference:
    """Compare what both find for pictures with a beam of 3, and how likely it is to both."""
    vocabulary = task.eval().vocabulary
    options = CaptioningOptions(3, length_penalty=0.0, max_length=50)
    features = material.regions(range(pictures))
    theirs = [
        beam_search(
            model.eval(),
            each,
            k=3,
            begin=vocabulary.begin,
            end=vocabulary.end,
            banned=banned(vocabulary),
            max_length=50,
        )
        for each in features
    ]
    found = [candidates[0] for candidates in task.captioner.search(Seen(features), options)]
    texts = [" ".join(each.words[: len(each.words) - each.finished]) for each in found]
    ours = [tuple(numbers) for numbers in vocabulary.encode_all(texts)]
    apart = []
    for captions, ends, scores in (
        ([each.words for each in theirs], [each.finished for each in theirs], theirs),
        (ours, [each.finished for each in found], found),
    ):
        batch = _known(captions, ends, material, task)
        wanted = torch.tensor([each.log_prob for each in scores])
        for given in (log_probs(task, batch), tutorial_log_probs(model, batch)):
            apart.append((given - wanted).abs().max().item())
    gains = [our.log_prob - their.log_prob for our, their in zip(found, theirs, strict=True)]
    lengths = (sum(len(each.words) for each in theirs), sum(map(len, ours)))
    return SearchDifference(
        max(apart),
        sum(their.words == our for their, our in zip(theirs, ours, strict=True)) / pictures,
        sum(gains) / pictures,
        (lengths[0] / pictures, lengths[1] / pictures),
    )


def training_agreement(
    task: Captioning, model: TutorialCaptioner, material: Material, data: CaptionData
) -> str:
    """Return a line that says that both are the same network; end the program if they are not."""
    batch = next(shuffled(material, known_words(data)))
    found = training_difference(task, model, batch)
    _require(max(found), "loss and gradients")
    return (
        f"Of the same batch both have the same loss (relative difference {found.loss:.0e}) and "
        f"gradients ({found.gradients:.0e})."
    )


def search_agreement(
    task: Captioning, model: TutorialCaptioner, material: Material, pictures: int
) -> str:
    """Return a line on what both find; end the program if they are not the same network."""
    found = search_difference(task, model, material, pictures)
    _require(found.nats, "log-probabilities of captions")
    return (
        f"Of the captions that either finds both give the same log-probability (largest difference "
        f"{found.nats:.0e} nats). {found.same:.0%} of the captions are the same; ours are likelier "
        f"by {found.shortfall:.3f} nats on average. The tutorial's have {found.words[0]:.1f} words "
        f"on average, ours {found.words[1]:.1f}."
    )


def _known(
    captions: Sequence[tuple[int, ...]],
    ends: Sequence[bool],
    material: Material,
    task: Captioning,
) -> PaddedBatch:
    """Return captions of the first photos; of those that were cut, the end mark does not count."""
    rows = [
        Row(photo, torch.tensor(words, dtype=torch.int64)) for photo, words in enumerate(captions)
    ]
    batch = padded(rows, material, task.vocabulary)
    return batch._replace(lengths=batch.lengths - (~torch.tensor(ends)).long())


def _sums(scores: Tensor, batch: PaddedBatch) -> Tensor:
    steps = torch.arange(batch.targets.size(1))
    chosen = scores.log_softmax(2).gather(2, batch.targets.unsqueeze(2)).squeeze(2)  # (B, T)
    return chosen.masked_fill(steps >= batch.lengths.unsqueeze(1), 0.0).sum(dim=1)


def _require(difference: float, what: str) -> None:
    if not difference <= TOLERANCE:
        sys.exit(f"the tutorial's network is another one: {what} differ by {difference:.1e}")
