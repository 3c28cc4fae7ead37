"""The loss counts what it should; training learns what can be learnt, and no more."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.encoders import GRU, LSTM
from seqforge.layers import Head
from seqforge.task import Figure, Progress, Table, Text
from seqforge_tasks.translation import Translation, TranslationOptions
from seqforge_tasks.translation.parallel.batch import TranslationBatch
from seqforge_tasks.translation.translator import Translator
from tests.tasks.translation.networks import batch, fit, sentences, task, text

START = Progress(0, 0, 0.0)
SOURCES, TARGETS = sentences(5, seed=1), sentences(5, seed=2)


def total(made: Translation, one: TranslationBatch, progress: Progress = START) -> Tensor:
    return made.loss(one, None, progress).terms["loss"].total


# -- the loss ----------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_the_loss_is_the_sum_over_words_and_end_marks(training: bool) -> None:
    made = task(LSTM, label_smoothing=0.2).train(training)
    found = made.loss(batch(SOURCES, TARGETS), None, START).terms["loss"]
    smoothing = 0.2 if training else 0.0

    expected = 0.0
    for source, target in zip(SOURCES, TARGETS, strict=True):
        one = batch([source], [target])
        state = made.network.encode(one.source, one.source_lengths)
        decoded = made.network.decode(one.inputs, state, one.lengths)
        for features, word in zip(decoded.features[0], [*target, 3], strict=True):
            scores = made.network.head(features).tolist()
            allowed = [number for number in range(12) if number not in (0, 2)]
            normaliser = math.log(sum(math.exp(scores[number]) for number in allowed))
            losses = {number: normaliser - scores[number] for number in allowed}
            even = sum(losses.values()) / len(allowed)
            expected += (1 - smoothing) * losses[word] + smoothing * even
    assert found.total.item() == pytest.approx(expected, rel=1e-10)
    assert int(found.count) == sum(len(each) + 1 for each in TARGETS)


@settings(max_examples=15, deadline=None)
@given(
    padding=st.integers(1, 4),
    seed=st.integers(0, 50),
    options=st.sampled_from(
        [{}, {"writer": True}, {"input_feeding": True}, {"scheduled_sampling": 0.6}]
    ),
)
def test_padding_changes_neither_loss_nor_gradients(
    padding: int, seed: int, options: dict[str, Any]
) -> None:
    made = task(label_smoothing=0.1, **options).train()
    sources, targets = sentences(3, seed=seed), sentences(3, seed=seed + 100)
    found = []
    for extra in (0, padding):
        one = batch(sources, targets, padding=extra, ids=[4, 7, 9])
        loss = total(made, one, Progress(1, 0, 1.0))
        gradients = torch.autograd.grad(loss, list(made.parameters()), allow_unused=True)
        found.append((loss, *(each for each in gradients if each is not None)))
    for one_value, other in zip(*found, strict=True):
        scale = max(1.0, float(other.detach().abs().max()))
        torch.testing.assert_close(one_value, other, rtol=0, atol=1e-12 * scale)


def test_rows_add_up() -> None:
    made = task(writer=True)
    rows = [total(made, batch([s], [t])) for s, t in zip(SOURCES, TARGETS, strict=True)]

    torch.testing.assert_close(
        total(made, batch(SOURCES, TARGETS)), torch.stack(rows).sum(), rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("encoder", [GRU, LSTM])
def test_the_loss_in_half_precision_is_near(encoder: Any) -> None:
    made = task(encoder, sharp=1.0, hidden_size=32, embedding_size=32, writer=True).float().train()
    exact = total(made, batch(SOURCES, TARGETS))
    with torch.autocast("cpu", torch.bfloat16):
        low = total(made, batch(SOURCES, TARGETS))

    assert low.dtype == torch.float32
    assert low.item() == pytest.approx(exact.item(), rel=0.01)


# -- scheduled sampling --------------------------------------------------------------------------


def test_no_sampling_at_the_start_nor_in_evaluation() -> None:
    plain, sampling = task().train(), task(scheduled_sampling=1.0).train()
    one, end = batch(SOURCES, TARGETS), Progress(3, 90, 1.0, seed=4)
    expected = total(plain, one)

    assert torch.equal(total(sampling, one, Progress(0, 0, 0.0)), expected)
    assert torch.equal(total(plain, one, end), expected)
    assert not torch.equal(total(sampling, one, end), expected)
    assert torch.equal(total(sampling.eval(), one, end), total(plain.eval(), one))


def test_more_is_sampled_as_training_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []
    made = task(scheduled_sampling=0.5).train()
    original = made.network.decode_sampled

    def spied(inputs: Tensor, state: Any, own: Tensor) -> Any:
        shares.append(1 - own.isnan().double().mean().item())
        return original(inputs, state, own)

    monkeypatch.setattr(made.network, "decode_sampled", spied)
    long = sentences(40, 20, 20)
    for fraction in (0.25, 0.5, 1.0):
        total(made, batch(long, long), Progress(1, 1, fraction))

    assert shares == pytest.approx([0.125, 0.25, 0.5], abs=0.05)


def test_samples_do_not_depend_on_the_batch() -> None:
    made = task(scheduled_sampling=1.0, input_feeding=True).train()
    end = Progress(3, 90, 1.0, seed=4)
    numbers = [11, 3, 8, 20, 5]
    together = total(made, batch(SOURCES, TARGETS, ids=numbers), end)
    alone = [
        total(made, batch([s], [t], ids=[number]), end)
        for s, t, number in zip(SOURCES, TARGETS, numbers, strict=True)
    ]
    backwards = total(made, batch(SOURCES[::-1], TARGETS[::-1], ids=numbers[::-1]), end)

    torch.testing.assert_close(torch.stack(alone).sum(), together, rtol=1e-12, atol=0)
    torch.testing.assert_close(backwards, together, rtol=1e-12, atol=0)
    for other in (Progress(4, 90, 1.0, seed=4), Progress(3, 90, 1.0, seed=5)):
        assert not torch.allclose(
            total(made, batch(SOURCES, TARGETS, ids=numbers), other), together
        )


# -- training ----------------------------------------------------------------------------------


SMALL: dict[str, Any] = {
    "sharp": 1.0,
    "hidden_size": 32,
    "embedding_size": 32,
    "label_smoothing": 0.0,
}


@pytest.fixture(scope="module")
def copier() -> Translation:
    """A network that has learnt to copy sentences of 2 to 6 words."""

    def draw(step: int) -> TranslationBatch:
        drawn = sentences(32, 2, 6, seed=step)
        return batch(drawn, drawn)

    made = task(**SMALL)
    assert fit(made, draw, 150) < 0.4
    return made


def test_copies_look_at_what_they_copy(copier: Translation) -> None:
    asked = sentences(12, 2, 6, seed=9999)
    assert len({len(each) for each in asked}) > 2  # of several lengths in one batch
    found = copier.translator.search(asked, TranslationOptions(beam_size=3))

    right = [each[0].text == text(one) for each, one in zip(found, asked, strict=True)]
    assert sum(right) >= 11
    for each, is_right in zip(found, right, strict=True):
        if is_right:
            looked = each[0].attention.argmax(1)[:-1]
            assert (looked == torch.arange(len(looked))).double().mean() >= 0.8


def test_random_targets_cannot_be_learnt() -> None:
    """A network that saw its own target would come below the entropy of what it predicts."""

    def draw(step: int) -> TranslationBatch:
        return batch(sentences(32, 4, 4, seed=step), sentences(32, 4, 4, seed=10_000 + step))

    entropy = 4 * math.log(8) / 5  # the end of four words is no surprise
    assert fit(task(**SMALL), draw, 100) > entropy - 0.02


def test_one_pair_is_learnt_by_heart_and_given_back() -> None:
    made = task(**SMALL, writer=True, input_feeding=True)
    source, target = [4, 5, 6, 7], [11, 9, 9, 10, 4, 4]
    assert fit(made, lambda _: batch([source], [target]), 60) < 0.1

    assert made.translate([text(source)]) == [text(target)]


# -- measures, previews, predictions -------------------------------------------------------------


def test_free_translations_are_scored(copier: Translation) -> None:
    right = sentences(6, 3, 6, seed=9999)
    references = [*right[:3], *sentences(3, 3, 6, seed=5)]  # half of them have another reference
    copier.evaluate(batch(right[:4], references[:4], ids=[7, 3, 5, 1]))
    copier.evaluate(batch(right[4:], references[4:], ids=[2, 4]))
    found = copier.finish_evaluation()

    assert found["exact_match"] == 50.0
    assert found["cut"] == 0.0
    assert set(found) == {"bleu", "chrf", "exact_match", "cut"}
    copier.evaluate(batch(right, right))  # cleared: numbers may come again
    assert copier.finish_evaluation()["bleu"] == pytest.approx(100.0)


def test_the_share_of_translations_that_were_cut() -> None:
    made = task()
    assert isinstance(made.network.head, Head)
    made.network.head.bias.data[3] = -100.0  # the end is written where nothing else may be
    made.evaluate(batch(SOURCES, TARGETS))

    assert made.finish_evaluation()["cut"] == 100.0


def _scores(made: Translation) -> dict[str, float]:
    made.evaluate(batch(SOURCES, TARGETS))
    return made.finish_evaluation()


def test_previews_show_three_translations_and_attention(copier: Translation) -> None:
    shown = copier.preview(batch(SOURCES, TARGETS))
    _scores(copier)
    table, scores, figure = copier.preview(batch(SOURCES, TARGETS))

    assert isinstance(table, Table)
    assert isinstance(scores, Text)
    assert isinstance(figure, Figure)
    assert list(table.columns) == ["source", "reference", "translation"]
    assert [row[0] for row in table.rows] == [text(SOURCES[row]) for row in (0, 2, 4)]
    assert [row[1] for row in table.rows] == [text(TARGETS[row]) for row in (0, 2, 4)]
    translations = copier.translate([text(SOURCES[row]) for row in (0, 2, 4)])
    assert [row[2] for row in table.rows] == translations
    assert "nrefs:1" in scores.body
    assert "BLEU" in scores.body
    assert [type(each) for each in shown[:1]] == [Table]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_previews_of_few_rows(copier: Translation, count: int) -> None:
    table = copier.preview(batch(SOURCES[:count], TARGETS[:count]))[0]

    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == [text(each) for each in SOURCES[:count]]


def test_where_nothing_is_found(copier: Translation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Translator, "search_batch", lambda self, source, *rest: [[] for _ in source]
    )
    (table, *rest) = copier.preview(batch(SOURCES, TARGETS))
    predicted = copier.predict(batch(SOURCES, TARGETS))
    scores = _scores(copier)

    assert isinstance(table, Table)
    assert [row[2] for row in table.rows] == ["", "", ""]
    assert not [each for each in rest if isinstance(each, Figure)]
    assert {row["translation"] for row in predicted} == {""}
    assert {row["score"] for row in predicted} == {None}
    assert scores["cut"] == 100.0
    assert copier.translate(["a b"]) == [""]


def test_predictions_are_translations_with_scores(copier: Translation) -> None:
    rows = copier.predict(batch(SOURCES, TARGETS))
    found = copier.translator.search(SOURCES, copier.search_options)

    assert [row["source"] for row in rows] == [text(each) for each in SOURCES]
    assert [row["reference"] for row in rows] == [text(each) for each in TARGETS]
    assert [row["translation"] for row in rows] == [each[0].text for each in found]
    assert [row["score"] for row in rows] == pytest.approx([each[0].score for each in found])
