"""Training subwords: sizes, models, and the same result everywhere."""

import pytest

from seqforge.errors import UserError
from seqforge.text import train_subwords
from seqforge.text.subword_training import Model

TEXTS = [f"line {number} of a text that is long enough, isn't it?" for number in range(60)]


@pytest.mark.parametrize("model", ["unigram", "bpe", "char"])
def test_each_model_keeps_to_the_size_and_knows_its_text(model: Model) -> None:
    vocabulary = train_subwords(TEXTS, size=60, model=model)

    assert len(vocabulary) <= 60
    assert all(vocabulary.decode(vocabulary.encode(text)) == text for text in TEXTS)
    if model == "char":
        assert len(vocabulary.encode(TEXTS[0])) == len(TEXTS[0]) + 1  # a space before the text


def test_too_little_text_gives_fewer_pieces() -> None:
    assert len(train_subwords(["a b"], size=8000)) < 10


def test_a_size_below_the_characters() -> None:
    with pytest.raises(UserError, match="a vocabulary of 10 pieces has no room") as caught:
        train_subwords(TEXTS, size=10, model="bpe")

    least = int(caught.value.todo.split()[-1])
    assert len(train_subwords(TEXTS, size=least, model="bpe")) == least
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize("size", [-1, 0, 3, 4])
def test_a_size_of_marks_alone(size: int) -> None:
    with pytest.raises(UserError, match=f"a vocabulary of {size} pieces has no room"):
        train_subwords(TEXTS, size=size)


def test_a_size_below_the_bytes() -> None:
    with pytest.raises(UserError, match="a vocabulary of 100 pieces has no room"):
        train_subwords(TEXTS, size=100, byte_fallback=True)


@pytest.mark.parametrize("texts", [[], ["", " "]])
def test_no_text(texts: list[str]) -> None:
    with pytest.raises(UserError, match="no text to train a vocabulary on"):
        train_subwords(texts, size=100)


def test_compatibility_characters_are_kept_unless_asked() -> None:
    texts = ["oui\u00a0! ﬁn"] * 5
    kept, folded = (
        train_subwords(texts, size=50, normalization=each) for each in ("identity", "nmt_nfkc")
    )

    assert kept.decode(kept.encode(texts[0])) == texts[0]
    assert folded.decode(folded.encode(texts[0])) == "oui ! fin"


def test_it_is_silent_and_the_same_every_time(capfd: pytest.CaptureFixture[str]) -> None:
    first, second = (train_subwords(TEXTS, size=80).model for _ in range(2))

    assert first == second
    assert capfd.readouterr() == ("", "")
