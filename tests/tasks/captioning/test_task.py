"""The loss counts what it should; training learns what can be learnt, and no more."""

import io
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.encoders import GRU, LSTM
from seqforge.task import Figure, Loss, Progress, Table, Text
from seqforge.vision import frozen_features
from seqforge_tasks.captioning.captioner import Captioner
from seqforge_tasks.captioning.search_options import CaptioningOptions
from seqforge_tasks.captioning.task import Captioning
from tests.tasks.captioning.networks import (
    REGIONS,
    START,
    Normalised,
    Summarising,
    batch,
    fit,
    pictures,
    sentences,
    task,
    text,
)

CAPTIONS = sentences(5, seed=1)
CONDITIONINGS = ("start", "attention", "both")
each_conditioning = pytest.mark.parametrize("conditioning", CONDITIONINGS)


def total(loss: Loss) -> torch.Tensor:
    """Return the sum of all terms with their weights."""
    return torch.stack([each.weight * each.total for each in loss.terms.values()]).sum()


# -- the loss ----------------------------------------------------------------------------------


@each_conditioning
@pytest.mark.parametrize("training", [True, False])
def test_the_loss_is_written_out(training: bool, conditioning: str) -> None:
    made = task(conditioning=conditioning, label_smoothing=0.2, doubly_stochastic=0.7)
    made.train(training)
    places = [0, 1, 0, 2, 1]
    one = batch(CAPTIONS, places=places)
    terms = made.loss(one, None, START).terms
    smoothing = 0.2 if training else 0.0
    assert one.pictures is not None

    words = unseen = 0.0
    for place, caption in zip(places, CAPTIONS, strict=True):
        alone = batch([caption], photos=one.pictures[place : place + 1])
        state = made.network.look(made.network.see(one.pictures[place : place + 1]))
        decoded = made.network.decode(alone.inputs, state, alone.lengths)
        for features, word in zip(decoded.features[0], [*caption, 3], strict=True):
            scores = made.network.head(features).tolist()
            allowed = [number for number in range(12) if number not in (0, 2)]
            normaliser = math.log(sum(math.exp(scores[number]) for number in allowed))
            losses = {number: normaliser - scores[number] for number in allowed}
            even = sum(losses.values()) / len(allowed)
            words += (1 - smoothing) * losses[word] + smoothing * even
        looked = [sum(column) for column in zip(*decoded.weights[0].tolist(), strict=True)]
        unseen += sum((1 - each) ** 2 for each in looked)
    assert next(iter(terms.values())).total.item() == pytest.approx(words, rel=1e-10)
    assert int(next(iter(terms.values())).count) == sum(len(each) + 1 for each in CAPTIONS)
    if not training or conditioning == "start":
        assert list(terms) == ["loss"]
    else:
        assert list(terms) == ["words", "unseen"]
        assert terms["unseen"].total.item() == pytest.approx(unseen, rel=1e-10)
        assert int(terms["unseen"].count) == len(CAPTIONS)
        assert terms["unseen"].weight == 0.7


@settings(max_examples=12, deadline=None)
@given(
    padding=st.integers(1, 4),
    seed=st.integers(0, 50),
    options=st.sampled_from(
        [
            {},
            {"writer": True},
            {"input_feeding": True},
            {"conditioning": "start"},
            {"gate": False},
            {"shortcut": True, "pooling": "max"},
        ]
    ),
)
def test_padding_changes_neither_loss_nor_gradients(
    padding: int, seed: int, options: dict[str, Any]
) -> None:
    made = task(**options).train()
    captions = sentences(3, seed=seed)
    found = []
    for extra in (0, padding):
        loss = total(made.loss(batch(captions, padding=extra), None, START))
        gradients = torch.autograd.grad(loss, list(made.parameters()), allow_unused=True)
        found.append((loss, *(each for each in gradients if each is not None)))
    for one_value, other in zip(*found, strict=True):
        scale = max(1.0, float(other.detach().abs().max()))
        torch.testing.assert_close(one_value, other, rtol=0, atol=1e-12 * scale)


@each_conditioning
def test_captions_add_up_whatever_picture_they_share(conditioning: str) -> None:
    made = task(conditioning=conditioning, encoder=GRU).train()
    places = [0, 1, 0, 2, 1]
    one = batch(CAPTIONS, places=places)
    assert one.pictures is not None
    rows = [
        total(made.loss(batch([each], photos=one.pictures[place : place + 1]), None, START))
        for place, each in zip(places, CAPTIONS, strict=True)
    ]

    torch.testing.assert_close(
        total(made.loss(one, None, START)), torch.stack(rows).sum(), rtol=1e-12, atol=0
    )


def test_the_loss_in_half_precision_is_near() -> None:
    made = task(sharp=1.0, hidden_size=32, embedding_size=32, region_size=32).float().train()
    exact = total(made.loss(batch(CAPTIONS), None, START))
    with torch.autocast("cpu", torch.bfloat16):
        low = total(made.loss(batch(CAPTIONS), None, START))

    assert low.dtype == torch.float32
    assert low.item() == pytest.approx(exact.item(), rel=0.02)


def test_what_is_looked_at_reaches_the_words() -> None:
    """Other pictures give other losses, by each way of conditioning."""
    for conditioning in CONDITIONINGS:
        made = task(conditioning=conditioning)
        found = [
            made.loss(batch(CAPTIONS, photos=pictures(5, seed=seed)), None, START)
            for seed in (0, 1)
        ]
        assert not torch.allclose(total(found[0]), total(found[1])), conditioning


# -- image encoders ------------------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [None, 0])
def test_a_pretrained_encoder_keeps_its_statistics(epoch: int | None) -> None:
    made = task(Normalised(), finetune_epoch=epoch)
    made.initialise()
    image = made.network.image
    assert isinstance(image, Normalised)
    assert not image.norm.training
    buffers = {name: value.clone() for name, value in image.named_buffers()}
    weight = image.convolution.weight.detach().clone()

    fit(made, lambda step: batch(CAPTIONS, photos=pictures(5, seed=step)), 5)
    made.train()
    assert not image.norm.training
    assert not image.drop.training
    for name, value in image.named_buffers():
        torch.testing.assert_close(value, buffers[name].to(value.dtype), rtol=1e-6, atol=0)
    learnt = not torch.allclose(image.convolution.weight, weight.float())
    assert learnt == (epoch == 0)


def test_a_frozen_encoder_computes_what_the_cache_holds() -> None:
    made = task(Normalised()).float()
    photos = pictures(3)
    features = made.network.features(photos, train_image=True)

    assert features.dtype == torch.float16
    assert not features.requires_grad
    assert torch.equal(features, frozen_features(made.network.image, photos))
    served = batch(CAPTIONS[:3], photos=photos)
    expected = made.loss(served, None, START).terms["loss"].total
    other = batch(CAPTIONS[:3], photos=photos)
    other.pictures, other.features = None, features
    assert torch.equal(made.loss(other, None, START).terms["loss"].total, expected)


def test_when_an_encoder_is_trained() -> None:
    def rates(made: Captioning, epoch: int) -> dict[str, float]:
        return dict(made.learning_rates(Progress(epoch, 0, 0.0)))

    assert rates(task(), 0) == {}
    assert rates(task(Normalised()), 3) == {}
    tuned = task(Normalised(), finetune_epoch=2, finetune_rate=0.3)
    assert [rates(tuned, epoch) for epoch in (0, 1, 2, 9)] == [
        {"network.image": 0.0},
        {"network.image": 0.0},
        {"network.image": 0.3},
        {"network.image": 0.3},
    ]


@pytest.mark.parametrize(("epoch", "reached"), [(1, False), (2, True)])
def test_gradients_reach_an_encoder_from_its_epoch_on(epoch: int, reached: bool) -> None:
    image = Normalised()
    made = task(image, finetune_epoch=2).train()
    total(made.loss(batch(CAPTIONS), None, Progress(epoch, 0, 0.0))).backward()

    assert (image.convolution.weight.grad is not None) == reached
    assert made.network.head.weight.grad is not None


@pytest.mark.parametrize("epoch", [None, 0])
def test_what_no_feature_depends_on_is_never_trained(epoch: int | None) -> None:
    """Processes that reduced its gradients would wait for them for ever."""
    made = task(Summarising(), finetune_epoch=epoch).train()
    learning = [each for each in made.parameters() if each.requires_grad]
    total(made.loss(batch(CAPTIONS), None, START)).backward()

    assert all(each.grad is not None for each in learning)
    image = made.network.image
    assert isinstance(image, Summarising)
    assert not image.pooler.weight.requires_grad
    assert image.convolution.weight.requires_grad == (epoch == 0)


@each_conditioning
@pytest.mark.parametrize("image", [None, Summarising])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gate": False, "attention": "general", "pooling": "max"},
        {"input_feeding": True, "attention": "dot"},
        {"writer": True, "feature_size": 9, "word_dropout": 0.5},
    ],
)
def test_every_weight_gets_a_gradient(
    options: dict[str, Any], image: type[Summarising] | None, conditioning: str
) -> None:
    """Processes that share gradients would wait for those of a weight that nothing depends on."""
    start = None if image is None else 0
    width: dict[str, Any] = {"region_size": 16} if options.get("attention") == "dot" else {}
    eyes = None if image is None else image()
    made = task(eyes, conditioning=conditioning, finetune_epoch=start, **options, **width).train()
    total(made.loss(batch(CAPTIONS), None, START)).backward()

    learning = {name: each for name, each in made.named_parameters() if each.requires_grad}
    assert [name for name, each in learning.items() if each.grad is None] == []
    assert any(name.startswith("network.image.") for name in learning)


# -- training ----------------------------------------------------------------------------------


SMALL: dict[str, Any] = {"sharp": 1.0, "hidden_size": 32, "embedding_size": 32, "region_size": 32}


@each_conditioning
def test_one_pair_is_learnt_by_heart_and_given_back(conditioning: str) -> None:
    made = task(conditioning=conditioning, **SMALL)
    caption = [4, 5, 5, 11, 9, 4]
    assert fit(made, lambda _: batch([caption]), 60) < 0.1

    (found,) = made.captioner.caption(pictures(1), CaptioningOptions())
    assert found[0].text == text(caption)
    assert found[0].finished
    assert found[0].words == (*text(caption).split(), "</s>")
    regions = 0 if conditioning == "start" else REGIONS
    assert found[0].attention.shape == (7, regions)


LEARNT = [[4, 5, 6, 7], [8, 9, 10, 11], [5, 7, 9], [4, 4, 6, 6, 10]]


@pytest.fixture(scope="module")
def learnt() -> Captioning:
    """A network that knows four pictures by heart."""
    made = task(**SMALL)
    assert fit(made, lambda _: batch(LEARNT), 80) < 0.3
    return made


def test_pictures_are_told_apart(learnt: Captioning) -> None:
    found = learnt.captioner.caption(pictures(4), CaptioningOptions())
    assert [each[0].text for each in found] == [text(each) for each in LEARNT]


def test_random_captions_cannot_be_learnt() -> None:
    """A network that saw its own target would come below the entropy of what it predicts."""

    def draw(step: int) -> Any:
        return batch(sentences(32, 4, 4, seed=step), photos=pictures(32, seed=step))

    entropy = 4 * math.log(8) / 5  # the end of four words is no surprise
    assert fit(task(**SMALL), draw, 50) > entropy - 0.02


# -- measures, previews, predictions -------------------------------------------------------------


def test_free_captions_are_scored(learnt: Captioning) -> None:
    asked = [*LEARNT[:3], [7, 7, 7, 7]]  # the last reference is another one
    photos = pictures(4)
    learnt.evaluate(batch(asked[:3], photos=photos[:3], ids=[7, 3, 5], evaluated=True))
    learnt.evaluate(batch(asked[3:], photos=photos[3:], ids=[1], evaluated=True))
    found = learnt.finish_evaluation()

    assert found["exact_match"] == 75.0
    assert found["truncated"] == 0.0
    assert found["distinct"] == 100.0
    assert {"cider", "bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l"} <= set(found)
    learnt.evaluate(batch(LEARNT, evaluated=True))  # cleared: numbers may come again
    assert learnt.finish_evaluation()["exact_match"] == 100.0


def test_the_share_of_captions_that_were_cut() -> None:
    made = task()
    made.network.head.bias.data[3] = -100.0  # the end is written where nothing else may be
    made.evaluate(batch(CAPTIONS, evaluated=True))

    assert made.finish_evaluation()["truncated"] == 100.0


def test_predictions_are_captions_with_scores() -> None:
    made = task()
    one = batch(CAPTIONS, evaluated=True)
    rows = made.predict(one)
    found = made.captioner.caption(pictures(5), made.search_options)

    assert [row["file"] for row in rows] == list(one.names)
    assert [row["caption"] for row in rows] == [each[0].text for each in found]
    assert [row["score"] for row in rows] == pytest.approx([each[0].score for each in found])
    assert [row["references"] for row in rows] == [[text(each), "b c d"] for each in CAPTIONS]


def test_where_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Captioner, "search", lambda self, seen, *rest: [[] for _ in seen.features])
    made, one = task(), batch(CAPTIONS, evaluated=True)
    predicted = made.predict(one)
    made.evaluate(one)

    assert {row["caption"] for row in predicted} == {""}
    assert {row["score"] for row in predicted} == {None}
    assert made.finish_evaluation()["truncated"] == 100.0
    assert isinstance(made.preview(one)[0], Figure)


def test_a_batch_of_training_is_its_own_reference(learnt: Captioning) -> None:
    one = batch([*LEARNT, LEARNT[0]], places=[0, 1, 2, 3, 0])
    learnt.evaluate(one)

    assert learnt.finish_evaluation()["exact_match"] == 100.0
    assert [row["references"] for row in learnt.predict(one)][-1] == [text(LEARNT[0])]


def test_previews_show_a_sheet_and_the_scores() -> None:
    made = task()
    one = batch(CAPTIONS, evaluated=True)
    made.evaluate(one)
    made.finish_evaluation()
    sheet, scores = made.preview(one)

    assert isinstance(sheet, Figure)
    assert sheet.title == "captions"
    assert isinstance(scores, Text)
    assert "CIDEr" in scores.body
    features = made.network.features(pictures(5))
    one.pictures, one.features, one.references = None, features, ()  # as in training
    table = made.preview(one)[0]
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows] == [text(each) for each in CAPTIONS]


def test_weights_are_those_of_a_rebuilt_task() -> None:
    made = task(encoder=LSTM, writer=True)
    file = io.BytesIO()
    torch.save(made.state_dict(), file)
    file.seek(0)
    other = task(encoder=LSTM, writer=True, sharp=1.0)
    other.load_state_dict(torch.load(file, weights_only=True))

    found, expected = (
        each.captioner.caption(pictures(3), CaptioningOptions()) for each in (other, made)
    )
    assert [each[0].score for each in found] == [each[0].score for each in expected]
