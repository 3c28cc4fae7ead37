"""Captions depend on their picture alone, and come as pictures do."""

from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.captioning.search_options import CaptioningOptions
from tests.tasks.captioning.networks import pictures, task


def test_a_caption_does_not_depend_on_its_neighbours() -> None:
    made = task(sharp=3.0).float()
    photos = pictures(9)
    options = CaptioningOptions(beam_size=4, n_best=3)
    together = made.captioner.caption(photos, options)
    for batch_size in (1, 2, 4, 100):
        options.batch_size = batch_size
        found = list(made.captioner.stream(iter(photos), options))
        for one, other in zip(found, together, strict=True):
            assert [each.text for each in one] == [each.text for each in other]
            for mine, theirs in zip(one, other, strict=True):
                assert mine.score == pytest.approx(theirs.score, abs=1e-5)


def test_what_came_before_a_mistake_is_captioned() -> None:
    made = task()
    seen: list[str] = []

    def coming() -> Any:
        yield from pictures(5)
        raise UserError("no picture")

    found = made.captioner.stream(coming(), CaptioningOptions(batch_size=3))
    with pytest.raises(UserError, match="no picture"):
        seen.extend(each[0].text for each in found)
    expected = made.captioner.caption(pictures(5), CaptioningOptions())
    assert seen == [each[0].text for each in expected]
    assert list(made.captioner.stream(iter(()), CaptioningOptions())) == []


def test_the_network_is_packed_once_for_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[object] = []
    made = task()
    pack = type(made.captioner).stepper

    def counting(captioner: Any) -> object:
        packed.append(captioner)
        return pack(captioner)

    monkeypatch.setattr(type(made.captioner), "stepper", counting)
    found = list(made.captioner.stream(iter(pictures(5)), CaptioningOptions(batch_size=2)))

    assert len(found) == 5
    assert len(packed) == 1


def test_unknown_words_are_never_written() -> None:
    made = task()
    made.network.head.bias.data[:3] = 100.0
    found = made.captioner.caption(pictures(3), CaptioningOptions(n_best=3))

    written = {word for each in found for one in each for word in one.words}
    assert not written & {"<pad>", "<unk>", "<s>"}


def test_captions_while_it_is_trained_drop_nothing() -> None:
    made = task(dropout=0.5)
    expected = made.captioner.caption(pictures(4), CaptioningOptions())
    made.train()

    assert made.captioner.caption(pictures(4), CaptioningOptions())[0][0].score == (
        expected[0][0].score
    )
    assert made.network.training
