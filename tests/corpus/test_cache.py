import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqforge.corpus import TextFiles, TextPiece, cache, open_corpus, writer
from seqforge.errors import UserError
from tests.corpus.test_corpus import Texts


def _folders(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_text_is_encoded_once(tmp_path: Path) -> None:
    source = Texts(["some text"])
    first = open_corpus(source, tmp_path)
    second = open_corpus(source, tmp_path)

    assert source.read == 1
    assert first.folder == second.folder == tmp_path / _folders(tmp_path)[0]
    assert open_corpus(source, tmp_path, "bytes").folder != first.folder


@pytest.mark.parametrize("name", ["corpus.json", "tokens.bin", "documents.bin"])
def test_a_damaged_corpus_is_made_anew(tmp_path: Path, name: str) -> None:
    source = Texts(["some text"])
    file = open_corpus(source, tmp_path).folder / name
    whole = file.read_bytes()
    for damaged in (whole[:-1], whole[:-8], b""):
        file.write_bytes(damaged)
        assert len(open_corpus(source, tmp_path)) == 9
        assert file.read_bytes() == whole
        assert len(_folders(tmp_path)) == 1
    file.unlink()
    assert len(open_corpus(source, tmp_path)) == 9


def test_all_files_are_on_the_disk_before_they_get_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(writer, "synchronise", lambda path: written.append(path.name))
    open_corpus(Texts(["some text"]), tmp_path)

    assert sorted(written[:3]) == ["corpus.json", "documents.bin", "tokens.bin"]
    assert written[3].endswith(".part")


def test_another_format_is_made_anew(tmp_path: Path) -> None:
    source = Texts(["some text"])
    file = open_corpus(source, tmp_path).folder / "corpus.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 0}), encoding="ascii")
    open_corpus(source, tmp_path)

    assert source.read == 2


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_killed_process_leaves_nothing_that_is_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.txt").write_text("some text, twice", encoding="utf-8")
    monkeypatch.setattr(writer, "BLOCK", 4)
    killed = os.fork()
    if not killed:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda _: os.kill(os.getpid(), 9))
            open_corpus(TextFiles(str(tmp_path / "text.txt")), tmp_path / "cache")
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(killed, 0)[1]) == 9
    (left,) = _folders(tmp_path / "cache")
    assert left.endswith(".part")
    source = TextFiles(str(tmp_path / "text.txt"))

    assert len(open_corpus(source, tmp_path / "cache")) == 16
    assert left in _folders(tmp_path / "cache")  # it may yet be another process's
    long_ago = time.time() - 2 * cache.ABANDONED
    for each in (tmp_path / "cache" / left, *(tmp_path / "cache" / left).iterdir()):
        os.utime(each, (long_ago, long_ago))
    (open_corpus(source, tmp_path / "cache").folder / "tokens.bin").unlink()
    open_corpus(source, tmp_path / "cache")
    assert len(_folders(tmp_path / "cache")) == 1


def test_the_first_of_two_processes_is_kept(tmp_path: Path) -> None:
    class Slow(Texts):
        def pieces(self) -> Iterator[TextPiece]:
            yield TextPiece("some ", begins=True)
            others.append(open_corpus(Texts(self.texts), tmp_path).folder)
            (others[0] / "mark").touch()
            yield TextPiece("text")

    others: list[Path] = []
    found = open_corpus(Slow(["some text"]), tmp_path)

    assert [found.folder] == others
    assert (found.folder / "mark").exists()
    assert len(_folders(tmp_path)) == 1


def test_text_without_text(tmp_path: Path) -> None:
    for text in ("", " \n\n\t"):
        with pytest.raises(UserError, match="holds no text"):
            open_corpus(Texts([text]), tmp_path / "cache")
    assert _folders(tmp_path) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write the encoded text") as caught:
        open_corpus(Texts(["text"]), tmp_path / "file")

    assert caught.value.given.endswith("Not a directory")
    assert caught.value.where == "data.cache"


def test_only_a_large_text_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    open_corpus(Texts(["small"]), tmp_path, say=said.append)
    assert not said
    monkeypatch.setattr(cache, "LARGE", 3)
    open_corpus(Texts(["large"]), tmp_path, say=said.append)
    open_corpus(Texts(["large"]), tmp_path, say=said.append)

    assert len(said) == 1
    assert str(tmp_path) in said[0]
