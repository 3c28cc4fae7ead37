import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.corpus import (
    Corpus,
    TextPiece,
    corpus,
    documents,
    open_corpus,
    writer,
)
from seqforge.corpus.source import joined
from seqforge.errors import UserError
from seqforge.text import ByteVocabulary, CharacterVocabulary


class Texts:
    """Documents given in memory."""

    name = "texts"

    def __init__(self, texts: list[str], end: str = "", marked: bool = True) -> None:
        self.texts = texts
        self.end = end
        self.marked = marked
        self.read = 0

    def size(self) -> int:
        return sum(map(len, self.texts))

    def key(self) -> dict[str, Any]:
        return {"texts": self.texts, "end": self.end, "marked": self.marked}

    def pieces(self) -> Iterator[TextPiece]:
        self.read += 1
        return joined(self.texts, self.end)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpora")


SIGNS = st.text(st.sampled_from("ab\n é€😀\ufffd"), max_size=30)


@given(texts=st.lists(SIGNS, min_size=1, max_size=5), block=st.integers(1, 9), data=st.data())
def test_numbers_are_those_of_the_vocabulary(
    folder: Path, texts: list[str], block: int, data: st.DataObject
) -> None:
    text = "a" + "|".join(texts)
    cut = data.draw(st.integers(1, len(text)))
    part = slice(data.draw(st.integers(0, cut)), cut)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "BLOCK", block)
        found = open_corpus(Texts(["a" + texts[0], *texts[1:]], "|"), folder / str(block))
    vocabulary = CharacterVocabulary.of(text[:cut])

    assert len(found) == len(text)
    assert found.vocabulary(cut).spec() == vocabulary.spec()
    assert found.distinct() == len(set(text))
    tokens = found.tokens(vocabulary, 0, len(text))
    assert tokens[part].tolist() == vocabulary.encode(text)[part].tolist()
    assert len(found.tokens(vocabulary, part.start, cut)) == cut - part.start


@given(texts=st.lists(SIGNS, min_size=1, max_size=3))
def test_bytes_are_those_of_utf8(folder: Path, texts: list[str]) -> None:
    found = open_corpus(Texts(["a", *texts], "é"), folder, "bytes")
    expected = "é".join(["a", *texts]).encode()

    assert bytes(found.tokens(found.vocabulary())[:].tolist()) == expected
    ends = np.cumsum([len(f"{text}é".encode()) for text in ["a", *texts]])
    starts = [0, *(start for start, text in zip(ends.tolist(), texts, strict=False) if text)]
    assert found.document_starts("x")[:].tolist() == starts  # empty rows begin no document


@given(
    text=st.text(st.sampled_from("a\n"), min_size=1, max_size=60),
    end=st.sampled_from(["\n", "\n\n", "\n\n\n", "a\na", "xyz"]),
    searched=st.integers(1, 9),
    unit=st.sampled_from(["characters", "bytes"]),
    data=st.data(),
)
def test_documents_start_where_a_search_in_the_text_finds_them(
    folder: Path, text: str, end: str, searched: int, unit: str, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(text) - 1))
    last = data.draw(st.integers(first + 1, len(text)))
    several = [text[:3], f"{text[3:]}b"]
    found = open_corpus(Texts(several), folder / str(searched), unit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "SEARCHED", searched)
        starts = found.document_starts(end, first, last)

    everywhere = {*_behind_marks(f"{text}b", end), min(3, len(text))}
    expected = [0, *sorted(each - first for each in everywhere if first < each < last)]
    assert starts[:].tolist() == expected
    assert len(starts) == len(expected)
    part = slice(data.draw(st.integers(0, 4)), data.draw(st.integers(0, 9)))
    assert starts[part].tolist() == expected[part]
    assert pickle.loads(pickle.dumps(starts))[:].tolist() == expected


def _behind_marks(text: str, end: str) -> list[int]:
    starts = [0]
    found = text.find(end)
    while found >= 0 and found + len(end) < len(text):
        starts.append(found + len(end))
        found = text.find(end, starts[-1])
    return starts


def test_marks_are_searched_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = open_corpus(Texts(["a\n\nb\n\nc"]), tmp_path)
    assert found.document_starts("\n\n")[:].tolist() == [0, 3, 6]
    (file,) = found.folder.glob("marked-*")
    whole = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(corpus, "write_marked", None)
        assert found.document_starts("\n\n", 3)[:].tolist() == [0, 3]
    for damaged in (b"", whole[:-8], whole[:-1]):
        file.write_bytes(damaged)
        assert found.document_starts("\n\n")[:].tolist() == [0, 3, 6]
    assert file.read_bytes() == whole
    assert len(list(found.folder.iterdir())) == 4


def test_marks_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    found = open_corpus(Texts(["a\n\nb"]), tmp_path)
    monkeypatch.setattr(documents, "synchronise", full)
    with pytest.raises(UserError, match=r"where documents begin .*No space left") as caught:
        found.document_starts("\n\n")
    assert caught.value.where == "data.cache"
    assert not list(found.folder.glob(".*"))


@given(text=st.text(st.sampled_from("abc\ufffd"), min_size=1, max_size=30), data=st.data())
def test_unknown_characters_are_counted(folder: Path, text: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    found = open_corpus(Texts([text]), folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "SEARCHED", 3)
        count = found.count_unknown(CharacterVocabulary("ab"), first, last)

    assert count == sum(sign not in "ab" for sign in text[first:last])
    assert open_corpus(Texts([text]), folder, "bytes").count_unknown(ByteVocabulary(), 0, 1) == 0


def test_rows_begin_documents_and_marks_inside_them_do_not(folder: Path) -> None:
    found = open_corpus(Texts(["a\n\nb", "", "c", ""], "\n\n", marked=False), folder)

    assert found.document_starts("\n\n")[:].tolist() == [0, 8]  # an empty row begins none
    assert found.document_starts("\n\n", 2)[:].tolist() == [0, 6]


@pytest.mark.parametrize(("characters", "dtype"), [(256, "uint8"), (257, "uint16"), (65_537, "u4")])
def test_numbers_are_as_wide_as_they_must_be(folder: Path, characters: int, dtype: str) -> None:
    signs = [chr(each) for each in range(32, 80_000) if not 0xD800 <= each < 0xE000]
    text = "".join(signs[:200]) * 30 + "".join(signs[:characters]) + " "
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "BLOCK", 5_000)
        found = open_corpus(Texts([text]), folder)
    vocabulary = found.vocabulary()

    assert vocabulary.decode(found.tokens(vocabulary)[:].tolist()) == text
    size = (found.folder / "tokens.bin").stat().st_size
    assert size == len(text) * np.dtype(dtype).itemsize
    assert sorted(each.name for each in found.folder.iterdir()) == [
        "corpus.json",
        "documents.bin",
        "tokens.bin",
    ]


def test_a_view_is_pickled_without_its_text(folder: Path) -> None:
    found = open_corpus(Texts(["abc" * 40_000]), folder)
    tokens = found.tokens(found.vocabulary(), 3)
    assert tokens[:4].tolist() == [1, 2, 3, 1]
    pickled = pickle.dumps(tokens)

    assert len(pickled) < 2_000
    assert pickle.loads(pickled)[1:3].tolist() == [2, 3]


def test_a_text_of_unknown_characters_only(folder: Path) -> None:
    found = open_corpus(Texts(["\ufffd\ufffdab"]), folder)

    assert len(found.vocabulary(2)) == 2
    assert found.tokens(found.vocabulary(2))[:].tolist() == [0, 0, 0, 0]


def test_characters_before_and_behind_the_cut(folder: Path) -> None:
    found: Corpus = open_corpus(Texts(["abcabcx"]), folder)

    assert [found.distinct(last) for last in (0, 1, 3, 6, 7)] == [0, 1, 3, 3, 4]
    known = found.vocabulary(6)
    assert found.tokens(known, 5)[:].tolist() == [3, known.unknown]
