"""Texts in, texts out: neither neighbours nor order nor padding changes a translation."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from seqforge.encoders import GRU, LSTM
from seqforge.errors import UserError
from seqforge.text import WordVocabulary
from seqforge_tasks.translation import Translation, TranslationOptions
from seqforge_tasks.translation import translator as translator_module
from seqforge_tasks.translation.translator import Candidate
from tests.tasks.translation.networks import FIRST, batch, sentences, task, text

SENTENCES = sentences(7, seed=3)
LINES = [text(each) for each in SENTENCES]
WIDE = TranslationOptions(beam_size=4, n_best=3)
NETWORKS: dict[str, dict[str, Any]] = {
    "plain": {},
    "feeding": {"input_feeding": True, "encoder": LSTM},
    "writer": {"writer": True, "attention": "additive", "tied_embeddings": False},
    "separate": {"target_words": ("x", "y", "z", "w"), "bidirectional": False},
}
each_network = pytest.mark.parametrize("name", NETWORKS)


def made(name: str = "plain", **options: Any) -> Translation:
    return task(**{**NETWORKS[name], **options})


def alike(one: list[Candidate], other: list[Candidate]) -> None:
    assert [each.text for each in one] == [each.text for each in other]
    for left, right in zip(one, other, strict=True):
        assert left.score == pytest.approx(right.score, abs=1e-5)
        assert left.finished == right.finished
        torch.testing.assert_close(left.attention, right.attention, rtol=0, atol=1e-5)


# -- neighbours --------------------------------------------------------------------------------


@each_network
def test_a_batch_is_its_items_and_its_order_is_kept(name: str) -> None:
    translator = made(name).translator
    alone = [translator.translate([line], WIDE)[0] for line in LINES]
    together = translator.translate(LINES, WIDE)
    few = translator.translate(LINES, TranslationOptions(beam_size=4, n_best=3, batch_size=2))
    backwards = translator.translate(LINES[::-1], WIDE)[::-1]

    assert [len(each) for each in alone] == [3] * len(LINES)
    for expected, *found in zip(alone, together, few, backwards, strict=True):
        for each in found:
            alike(each, expected)


@each_network
def test_padding_of_the_batch_changes_nothing(name: str) -> None:
    translator = made(name).translator
    short, long = (batch(SENTENCES, SENTENCES, padding=padding) for padding in (0, 5))
    plain, padded = (
        translator.search_batch(each.source, each.source_lengths, WIDE) for each in (short, long)
    )

    for one, other in zip(plain, padded, strict=True):
        alike(one, other)


def test_lines_come_as_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translator_module, "AHEAD", 3)
    translator = made().translator
    read: list[int] = []

    def lines() -> Any:
        for number in range(20):
            read.append(number)
            yield LINES[number % 7]

    options = TranslationOptions(beam_size=1, batch_size=2)
    found = translator.stream(lines(), options)
    first = next(found)
    assert len(read) == 6
    rest = list(found)

    assert len(rest) == 19
    alike(rest[6], first)


# -- what a candidate holds ----------------------------------------------------------------------


@each_network
@pytest.mark.parametrize("limit", [0, 2])
def test_its_log_probability_is_that_of_teacher_forcing(name: str, limit: int) -> None:
    built = made(name)
    options = TranslationOptions(beam_size=4, n_best=3, max_length=limit)
    for numbers, candidates in zip(
        SENTENCES, built.translator.search(SENTENCES, options), strict=True
    ):
        for candidate in candidates:
            words = built.target.vocabulary.encode_all([candidate.prepared])[0]
            assert len(words) == len(candidate.target) - candidate.finished
            one = batch([numbers], [[FIRST]])
            inputs = torch.tensor([[2, *words]])
            targets = torch.tensor([*words, 3])
            state = built.network.encode(one.source, one.source_lengths)
            decoded = built.network.decode(inputs, state, torch.tensor([len(targets)]))
            losses = F.cross_entropy(
                built.network.logits(decoded.features[0]), targets, reduction="none"
            )
            losses = losses if candidate.finished else losses[:-1]
            assert candidate.log_prob == pytest.approx(-losses.sum().item(), abs=1e-4)


def test_pieces_and_weights_belong_together() -> None:
    translator = made().translator
    for options in (WIDE, TranslationOptions(max_length=2, n_best=2)):
        for line, candidates in zip(LINES, translator.translate(LINES, options), strict=True):
            for candidate in candidates:
                assert candidate.source == (*line.split(), "</s>")
                known = candidate.text.replace("\ufffd", "<unk>").split()
                end = ["</s>"] if candidate.finished else []
                assert list(candidate.target) == known + end
                shape = (len(candidate.target), len(candidate.source))
                assert candidate.attention.shape == shape
                assert candidate.attention.dtype == torch.float32
                torch.testing.assert_close(candidate.attention.sum(1), torch.ones(shape[0]))


def test_padding_and_begin_are_not_written_however_many_are_asked_for() -> None:
    translator = task(target_words=("x",)).translator
    found = translator.translate(LINES, TranslationOptions(beam_size=50, n_best=50, max_length=1))

    for candidates in found:
        # Nothing, an unknown word, or the one word; nothing else can be written.
        assert sorted(each.prepared for each in candidates) == ["", "x", "\ufffd"]
        assert all(each.log_prob > -1e6 for each in candidates)


def test_cut_translations_say_so() -> None:
    translator = made().translator
    options = TranslationOptions(max_length=3, min_length=3)

    for candidates in translator.translate(LINES, options):
        assert len(candidates[0].target) - candidates[0].finished == 3


def test_without_a_maximum_it_goes_by_the_source() -> None:
    translator = made().translator
    lengths = torch.tensor([3, 11])

    assert translator._greatest(lengths, TranslationOptions()).tolist() == [16, 32]
    assert translator._greatest(lengths, TranslationOptions(min_length=20)).tolist() == [20, 32]
    assert translator._greatest(lengths, TranslationOptions(max_length=4)).tolist() == [4, 4]


# -- empty and long lines ------------------------------------------------------------------------


def test_empty_lines_have_no_translation() -> None:
    found = made().translator.translate(["", LINES[0], "  \t ", LINES[1], ""], WIDE)

    assert [len(each) for each in found] == [0, 3, 0, 3, 0]
    assert made().translate(["", LINES[0], " "])[::2] == ["", ""]
    assert made().translate([]) == []


def test_a_long_line_is_refused_with_its_number() -> None:
    with pytest.raises(UserError) as caught:
        made(longest=6).translate([LINES[0], "", "a b c d e f g h"])

    lines = str(caught.value).splitlines()
    assert lines == [
        "input 3 has 8 tokens, and the network was trained on at most 6: 'a b c d e f g h'",
        "  where: --long",
        "  to do: add --long split to translate it in parts, or shorten it",
    ]


def test_numbers_go_on_behind_the_first_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translator_module, "AHEAD", 3)
    lines = [*["a"] * 7, "a b c d e f g h"]
    options = TranslationOptions(beam_size=1, batch_size=1)
    found = made(longest=6).translator.stream(iter(lines), options)

    with pytest.raises(UserError, match="input 8 has 8 tokens"):
        list(found)


def test_parts_of_a_long_line_are_joined_in_their_order() -> None:
    built = made(longest=4)
    long = TranslationOptions(beam_size=4, n_best=2, long="split")
    line = "a b c d e f g h"
    whole, alone = built.translator.translate([line, "a b"], long)
    (first,), (second,) = (
        built.translator.translate([part], TranslationOptions(beam_size=4))
        for part in ("a b c d", "e f g h")
    )

    assert len(whole) == len(alone) == 2
    assert whole[0].text == f"{first[0].text} {second[0].text}"
    assert whole[0].score == pytest.approx(first[0].score + second[0].score, abs=1e-5)
    assert whole[0].source == (*"abcd", "</s>", *"efgh", "</s>")
    assert whole[0].attention.shape == (len(whole[0].target), 10)
    rows = len(first[0].target)
    assert (whole[0].attention[:rows, 5:] == 0).all()
    assert (whole[0].attention[rows:, :5] == 0).all()


def test_a_short_part_does_not_come_before_a_long_one() -> None:
    vocabulary = WordVocabulary(["a.", "b", "c", "d.", *"efgh"])
    built = made(longest=3)
    side = type(built.source)(built.source.preparation, vocabulary)
    built.source = built.target = side
    (found,) = built.translator.translate(["b c a. d."], TranslationOptions(long="split"))

    assert found[0].source == ("b", "c", "a.", "</s>", "d.", "</s>")


def test_dropout_does_not_reach_translations() -> None:
    built = task(GRU, dropout=0.5)
    expected = built.translator.translate(LINES, WIDE)
    built.train()
    for one, other in zip(built.translator.translate(LINES, WIDE), expected, strict=True):
        alike(one, other)
    assert built.training
    assert built.network.training
